package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/pem"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// entry is a file, folder or link of the image.
type entry struct {
	path    string // absolute
	mode    fs.FileMode
	content []byte
	link    string // target, if it is a link
}

// user is the one the service runs as. By number, so that a cluster that demands an unprivileged user sees that it is one.
const user = "10001:10001"

// contents returns all that is in the image, folders before what is in them.
func contents(o options) ([]entry, error) {
	binary, err := os.ReadFile(o.binary)
	if err != nil {
		return nil, err
	}
	sbom, err := os.ReadFile(o.sbom)
	if err != nil {
		return nil, err
	}
	zones, err := timeZones(o.zones)
	if err != nil {
		return nil, err
	}
	entries := append(zones,
		entry{path: "/app/clinic", mode: 0o555, content: binary},
		entry{path: "/app/ehr", link: "clinic"},
		// Deployments stop a container with sh -c "sleep 15" first. The binary understands that, and nothing else, by this name.
		entry{path: "/bin/sh", link: "/app/clinic"},
		entry{path: "/etc/passwd", mode: 0o444, content: []byte("clinic:x:10001:10001::/:/sbin/nologin\n")},
		entry{path: "/etc/group", mode: 0o444, content: []byte("clinic:x:10001:\n")},
		entry{path: "/etc/ssl/certs/ca-certificates.crt", mode: 0o444, content: certificates()},
		entry{path: "/usr/share/sbom/clinic.cdx.json", mode: 0o444, content: sbom},
		// Large spreadsheets are written here. A read-only container mounts something writable over it.
		entry{path: "/tmp", mode: fs.ModeDir | fs.ModeSticky | 0o777},
	)
	return withFolders(entries), nil
}

// certificates returns the roots that Mozilla trusts, as the Go project keeps them. Those that are trusted only under
// conditions are left out: a file of certificates cannot say so.
func certificates() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
	}
	return b.Bytes()
}

// timeZones returns the zones of the Go distribution, unpacked to where every program looks.
func timeZones(file string) ([]entry, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = archive.Close() }() // it was only read
	var entries []entry
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		content, err := read(f)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{path: path.Join("/usr/share/zoneinfo", f.Name), mode: 0o444, content: content})
	}
	return entries, nil
}

func read(f *zip.File) ([]byte, error) {
	reader, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }() // it was only read
	return io.ReadAll(reader)
}

// withFolders adds the folders above the entries and sorts all by path.
func withFolders(entries []entry) []entry {
	known := map[string]bool{"/": true}
	for _, e := range entries {
		known[e.path] = true
	}
	for _, e := range slices.Clone(entries) {
		for folder := path.Dir(e.path); !known[folder]; folder = path.Dir(folder) {
			known[folder] = true
			entries = append(entries, entry{path: folder, mode: fs.ModeDir | 0o755})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	return entries
}
