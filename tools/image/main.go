package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"
)

// options are what an image is made of.
type options struct {
	binary   string // path of the static binary
	sbom     string // path of the list of what is in it
	zones    string // path of the Go distribution's time zones
	version  string
	revision string
	arch     string
	epoch    string // seconds since 1970: every time in the image
	layout   string // folder for the OCI layout
	rootfs   string // folder for the same files, unpacked
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/clinic", "static binary of the service")
	flag.StringVar(&o.sbom, "sbom", "", "software bill of materials (CycloneDX, JSON)")
	flag.StringVar(&o.zones, "zones", "", "zoneinfo.zip of the Go distribution")
	flag.StringVar(&o.version, "version", "", "version of the service")
	flag.StringVar(&o.revision, "revision", "", "commit from which it was built")
	flag.StringVar(&o.arch, "arch", "amd64", "architecture of the binary")
	flag.StringVar(&o.epoch, "epoch", "0", "time of the commit in seconds, which every time in the image is")
	flag.StringVar(&o.layout, "layout", "", "folder to write the OCI layout to")
	flag.StringVar(&o.rootfs, "rootfs", "", "folder to write the files of the image to, as a container sees them")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	seconds, err := strconv.ParseInt(o.epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("-epoch: %w", err)
	}
	entries, err := contents(o)
	if err != nil {
		return err
	}
	if o.rootfs != "" {
		if err := unpack(entries, o.rootfs); err != nil {
			return err
		}
	}
	if o.layout == "" {
		return nil
	}
	digest, size, err := write(o, entries, time.Unix(seconds, 0).UTC())
	if err != nil {
		return err
	}
	fmt.Printf("%s %d bytes compressed\n", digest, size)
	return nil
}
