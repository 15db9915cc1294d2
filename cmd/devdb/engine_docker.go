package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

const dockerImage = "mongo:8"

// docker is MongoDB in a container, as a replica set of one node. The data is in a volume of Docker's, not in the cache
// folder: files there would belong to a user of the image, and be slow on macOS.
type docker struct{ place }

func (d docker) name() string { return "docker" }
func (d docker) about() string {
	return "MongoDB in Docker (" + dockerImage + "), if a Docker engine answers"
}

func (d docker) container() string { return fmt.Sprintf("clinic-dev-db-%d", d.port) }

func (d docker) available(ctx context.Context) error {
	if !has("docker") {
		return errors.New("needs docker on the PATH")
	}
	if _, err := ask(ctx, "docker", "info"); err != nil {
		return errors.New("needs a Docker engine that answers 'docker info'")
	}
	return nil
}

// ask returns what a command prints, which it must do in a few seconds.
func ask(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).Output() //nolint:gosec // the program's own choice
	return strings.TrimSpace(string(out)), err
}

func (d docker) exists(ctx context.Context) bool {
	_, err := ask(ctx, "docker", "container", "inspect", d.container())
	return err == nil
}

func (d docker) runs(ctx context.Context) bool {
	if !has("docker") {
		return false
	}
	state, err := ask(ctx, "docker", "container", "inspect", "-f", "{{.State.Running}}", d.container())
	return err == nil && state == "true"
}

func (d docker) start(ctx context.Context) error {
	if !d.runs(ctx) {
		if err := free(ctx, d.port); err != nil {
			return err
		}
		if err := d.startContainer(ctx); err != nil {
			return err
		}
	}
	return d.step("Waiting for the replica set", func(io.Writer) error {
		var err error
		if !until(ctx, time.Minute, func() bool { err = primary(ctx, d.address()); return err == nil }) {
			return err
		}
		return nil
	})
}

// startContainer publishes the same port inside and outside, so that the replica set's address is right on both sides.
func (d docker) startContainer(ctx context.Context) error {
	if d.exists(ctx) {
		return d.step("Starting the "+dockerImage+" container", func(out io.Writer) error {
			return run(ctx, out, "docker", "start", d.container())
		})
	}
	err := d.step("Fetching the "+dockerImage+" image", func(out io.Writer) error {
		return run(ctx, out, "docker", "pull", dockerImage)
	})
	if err != nil {
		return err
	}
	port := fmt.Sprint(d.port)
	return d.step("Starting the "+dockerImage+" container", func(out io.Writer) error {
		return run(ctx, out, "docker", "run", "--detach", "--name", d.container(), "--publish", d.address()+":"+port,
			"--volume", d.container()+":/data/db", dockerImage, "--replSet", "rs0", "--port", port, "--bind_ip_all", "--oplogSize", "256")
	})
}

func (d docker) running(ctx context.Context) []string {
	if !d.runs(ctx) {
		return nil
	}
	return []string{"Docker runs the container " + d.container() + "; its data is in the volume " + d.container()}
}

func (d docker) stop(ctx context.Context) error {
	if !d.runs(ctx) {
		return nil
	}
	return d.step("Stopping the "+dockerImage+" container", func(out io.Writer) error {
		return run(ctx, out, "docker", "stop", d.container())
	})
}

func (d docker) wipe(ctx context.Context) error {
	if !has("docker") || !d.exists(ctx) {
		return nil
	}
	if err := run(ctx, io.Discard, "docker", "container", "rm", d.container()); err != nil {
		return err
	}
	return run(ctx, io.Discard, "docker", "volume", "rm", d.container())
}
