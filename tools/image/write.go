package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// settings returns what an engine reads when it starts a container.
func settings(o options) v1.Config {
	return v1.Config{
		User:         user,
		WorkingDir:   "/app",
		Env:          []string{"PATH=/app:/bin", "GOMEMLIMIT=900MiB"}, // for the limit of 1 GiB in deploy; another one sets it itself
		Cmd:          []string{"/app/clinic"},                         // without a shell in between, so that SIGTERM reaches the service
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		StopSignal:   "SIGTERM",
		Labels: map[string]string{
			"org.opencontainers.image.title":       "clinic",
			"org.opencontainers.image.description": "Clinics, their members and patients, and orders from health records",
			"org.opencontainers.image.source":      "https://github.com/tidepool-org/clinic",
			"org.opencontainers.image.version":     o.version,
			"org.opencontainers.image.revision":    o.revision,
		},
	}
}

// write makes the image and stores it as an OCI layout. It returns the digest, and the size of all that is fetched.
func write(o options, entries []entry, when time.Time) (string, int64, error) {
	image, err := assemble(o, entries, when)
	if err != nil {
		return "", 0, err
	}
	if err := os.RemoveAll(o.layout); err != nil {
		return "", 0, err
	}
	path, err := layout.Write(o.layout, empty.Index)
	if err != nil {
		return "", 0, err
	}
	platform := v1.Platform{OS: "linux", Architecture: o.arch}
	if err := path.AppendImage(image, layout.WithPlatform(platform)); err != nil {
		return "", 0, err
	}
	digest, err := image.Digest()
	if err != nil {
		return "", 0, err
	}
	size, err := compressed(image)
	return digest.String(), size, err
}

func assemble(o options, entries []entry, when time.Time) (v1.Image, error) {
	content, err := archive(entries, when)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config, file.Created = "linux", o.arch, settings(o), v1.Time{Time: when}
	file.History = []v1.History{{Created: v1.Time{Time: when}, CreatedBy: "tools/image"}}
	return mutate.ConfigFile(image, file)
}

func compressed(image v1.Image) (int64, error) {
	layers, err := image.Layers()
	if err != nil {
		return 0, err
	}
	var total int64
	for _, layer := range layers {
		size, err := layer.Size()
		if err != nil {
			return 0, err
		}
		total += size
	}
	return total, nil
}

// archive returns the entries as a tar file in which everything belongs to root and is from the same moment.
func archive(entries []entry, when time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		header := &tar.Header{Name: strings.TrimPrefix(e.path, "/"), Mode: int64(e.mode.Perm()), ModTime: when, Format: tar.FormatPAX}
		switch {
		case e.link != "":
			header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, e.link, 0o777
		case e.mode.IsDir():
			header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
			if e.mode&fs.ModeSticky != 0 {
				header.Mode |= 0o1000
			}
		default:
			header.Typeflag, header.Size = tar.TypeReg, int64(len(e.content))
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
	}
	return b.Bytes(), w.Close()
}

// unpack writes the entries below a folder, which it empties first.
func unpack(entries []entry, folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // the root of a container is open to all
		return err
	}
	for _, e := range entries {
		name := filepath.Join(folder, e.path)
		var err error
		switch {
		case e.link != "":
			err = os.Symlink(e.link, name)
		case e.mode.IsDir():
			if err = os.Mkdir(name, 0o755); err == nil { //nolint:gosec // see above
				err = os.Chmod(name, e.mode)
			}
		default:
			err = os.WriteFile(name, e.content, e.mode)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
