package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
)

// mongod is MongoDB itself, as a replica set of one node.
type mongod struct{ place }

func (m mongod) name() string   { return "mongod" }
func (m mongod) about() string  { return "MongoDB, if mongod is on the PATH" }
func (m mongod) server() server { return server{m.place, "mongod"} }

func (m mongod) available(context.Context) error {
	if !has("mongod") {
		return errors.New("needs mongod on the PATH")
	}
	return nil
}

func (m mongod) start(ctx context.Context) error {
	if !m.server().runs() {
		if err := free(ctx, m.port); err != nil {
			return err
		}
		if err := os.MkdirAll(m.in("mongod"), 0o750); err != nil {
			return err
		}
		err := m.server().launch("mongod", "--replSet", "rs0", "--dbpath", m.in("mongod"), "--port", strconv.Itoa(m.port),
			"--bind_ip", "127.0.0.1", "--oplogSize", "256")
		if err != nil {
			return err
		}
	}
	return m.step("Starting mongod", func(io.Writer) error {
		return m.server().wait(ctx, func(ctx context.Context) error { return primary(ctx, m.address()) })
	})
}

// primary returns nil once the replica set, which it makes if there is none, can be written to.
func primary(ctx context.Context, address string) error {
	if err := writable(ctx, address); err == nil {
		return nil
	}
	if err := initiate(ctx, address); err != nil {
		return err
	}
	return writable(ctx, address)
}

func (m mongod) running(context.Context) []string {
	if !m.server().runs() {
		return nil
	}
	return []string{"mongod runs; its log is " + m.server().logFile() + ", its data is in " + m.in("mongod")}
}

func (m mongod) stop(ctx context.Context) error { return m.server().end(ctx) }
func (m mongod) wipe(context.Context) error     { return remove(m.in("mongod")) }
