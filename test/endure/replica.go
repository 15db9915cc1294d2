package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// stopTime bounds how long a replica may take to end after SIGTERM: the longest drain, and requests in flight.
const stopTime = 45 * time.Second

// replica is the built service as a process of its own, on an address that it keeps over restarts.
type replica struct {
	name        string
	binary      string
	address     string
	environment []string
	log         *os.File

	command *exec.Cmd
	ended   chan error
}

// newReplica finds a free address; the log of all runs goes to one file.
func newReplica(ctx context.Context, name, binary, log string, environment []string) (*replica, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	_ = listener.Close() // the replica takes it next
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	environment = append(slices.Clone(environment), "TIDEPOOL_CLINIC_HTTP_ADDRESS="+address)
	return &replica{name: name, binary: binary, address: address, environment: environment, log: file}, nil
}

func (r *replica) url() string { return "http://" + r.address }

// start starts the process and does not wait for it. It outlives the context: only stop and kill end it.
func (r *replica) start(ctx context.Context) error {
	r.command = exec.CommandContext(context.WithoutCancel(ctx), r.binary)
	r.command.Env = r.environment
	r.command.Stderr = r.log
	if err := r.command.Start(); err != nil {
		return err
	}
	r.ended = make(chan error, 1)
	go func(command *exec.Cmd, ended chan<- error) { ended <- command.Wait() }(r.command, r.ended)
	return nil
}

// stop sends SIGTERM and waits for the end. An exit status other than 0 is an error.
func (r *replica) stop() error {
	if err := r.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-r.ended:
		r.ended <- err
		return err
	case <-time.After(stopTime):
		return fmt.Errorf("replica %s did not end in %s after SIGTERM", r.name, stopTime)
	}
}

// kill ends the process at once, as a crash would. Killing one that has ended does nothing.
func (r *replica) kill() {
	if r.command == nil {
		return
	}
	_ = r.command.Process.Kill() // it may have ended already
	err := <-r.ended
	r.ended <- err
}
