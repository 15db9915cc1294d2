package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// system is the Debian system, one for all ports: making it is the slow part.
func (p place) system() string { return filepath.Join(p.cache, "documentdb-system") }

// makeSystem makes it under another name and renames it when it is complete: what a killed start leaves behind is thrown
// away.
func (d documentdb) makeSystem(ctx context.Context) error {
	leftovers, err := filepath.Glob(d.system() + ".tmp.*")
	if err != nil {
		return err
	}
	for _, leftover := range leftovers {
		if err := remove(leftover); err != nil {
			return err
		}
	}
	if !has("debootstrap") {
		err := d.step("Installing debootstrap", func(out io.Writer) error { return aptInstall(ctx, out, "debootstrap") })
		if err != nil {
			return err
		}
	}
	building, err := os.MkdirTemp(d.cache, "documentdb-system.tmp.")
	if err != nil {
		return err
	}
	if err := os.Chmod(building, 0o755); err != nil { //nolint:gosec // its own users have to get in
		return err
	}
	err = d.step("Making a small Debian system", func(out io.Writer) error { return bootstrap(ctx, out, building) })
	if err != nil {
		return err
	}
	err = d.step("Installing PostgreSQL "+postgresMajor+" with DocumentDB", func(out io.Writer) error {
		return installPostgres(ctx, out, building)
	})
	if err != nil {
		return err
	}
	return os.Rename(building, d.system())
}

func aptInstall(ctx context.Context, out io.Writer, packages ...string) error {
	if err := run(ctx, out, "apt-get", "update"); err != nil {
		return err
	}
	args := []string{"DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--no-install-recommends"}
	return run(ctx, out, "env", append(args, packages...)...)
}

// mirror returns the one that this machine's own apt uses, whichever it is.
func mirror(ctx context.Context, out io.Writer) (string, error) {
	for range 2 {
		list, err := ask(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
		if err != nil {
			return "", err
		}
		if first, _, _ := strings.Cut(list, "\n"); first != "" {
			return first, nil
		}
		if err := run(ctx, out, "apt-get", "update"); err != nil {
			return "", err
		}
	}
	return "", errors.New("apt knows no mirror")
}

// bootstrap runs debootstrap, which mounts /proc while it works. In a mount namespace of its own that goes away with it,
// even if it is killed.
func bootstrap(ctx context.Context, out io.Writer, folder string) error {
	from, err := mirror(ctx, out)
	if err != nil {
		return err
	}
	command := []string{"debootstrap", "--variant=minbase", "--include=ca-certificates", "testing", folder, from}
	if _, err := ask(ctx, "unshare", "--mount", "true"); err == nil {
		command = append([]string{"unshare", "--mount", "--propagation", "private"}, command...)
	}
	return run(ctx, out, command[0], command[1:]...)
}

func installPostgres(ctx context.Context, out io.Writer, folder string) error {
	// Installing the package must neither make a database nor start one: this program does both.
	files := map[string]string{
		"etc/postgresql-common/createcluster.conf": "create_main_cluster = false\n",
		"usr/sbin/policy-rc.d":                     "#!/bin/sh\nexit 101\n",
	}
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // as Debian has them
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil { //nolint:gosec // as Debian has them
			return err
		}
	}
	// The package wants this to make its run folders, which are not used here, and it would fail without /proc.
	if err := os.Symlink("/bin/true", filepath.Join(folder, "usr/local/sbin/systemd-tmpfiles")); err != nil {
		return err
	}
	apt := func(args ...string) error {
		inside := []string{folder, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "apt-get"}
		return run(ctx, out, "chroot", append(inside, args...)...)
	}
	// A mirror may be a copy of some weeks ago; apt would refuse its index as expired.
	if err := apt("-o", "Acquire::Check-Valid-Until=false", "update"); err != nil {
		return err
	}
	err := apt("-o", "DPkg::Path=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
		"install", "--yes", "--no-install-recommends", "postgresql-"+postgresMajor+"-documentdb")
	if err != nil {
		return err
	}
	return apt("clean")
}
