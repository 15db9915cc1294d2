package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a process that outlives this program. Its id and its log are in the folder of its port.
type server struct {
	place
	label string // names the files; also a part of the command line
}

func (s server) pidFile() string { return s.in(s.label + ".pid") }
func (s server) logFile() string { return s.in(s.label + ".log") }

// launch starts the process in a session of its own, so that the terminal and its Ctrl-C do not reach it, and notes its id.
func (s server) launch(program string, args ...string) error {
	if err := os.MkdirAll(s.home(), 0o750); err != nil {
		return err
	}
	log, err := os.Create(s.logFile())
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()        // the process has its own
	command := exec.Command(program, args...) //nolint:gosec,noctx // it is to outlive this program
	command.Stdout, command.Stderr = log, log
	command.Dir = s.home()
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(s.pidFile(), []byte(strconv.Itoa(command.Process.Pid)+"\n"), 0o600); err != nil {
		return err
	}
	go func() { _ = command.Wait() }() // so that its end is noticed while this program waits for it
	return nil
}

// pid returns the id of the process if it still runs. Ids are given out again after a crash or a reboot, so the command line
// has to fit too.
func (s server) pid() (int, bool) {
	content, err := os.ReadFile(s.pidFile())
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil || pid <= 0 {
		return 0, false
	}
	command := commandOf(pid)
	return pid, strings.Contains(command, s.label) && strings.Contains(command, strconv.Itoa(s.port))
}

func (s server) runs() bool {
	_, ok := s.pid()
	return ok
}

// wait waits until ready returns nil, but no longer than the process lives: when something is wrong, its log tells so at
// once.
func (s server) wait(ctx context.Context, ready func(context.Context) error) error {
	end := time.Now().Add(time.Minute)
	for {
		err := ready(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !s.runs():
			return fmt.Errorf("%s has ended; its log is %s:\n%s", s.label, s.logFile(), tail(s.logFile()))
		case time.Now().After(end):
			return fmt.Errorf("%s does not answer after a minute (%w); its log is %s:\n%s", s.label, err, s.logFile(), tail(s.logFile()))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// end ends the process and waits for it. One that hangs is killed: its data survive that, or are worth nothing.
func (s server) end(ctx context.Context) error {
	if pid, ok := s.pid(); ok {
		gone := func() bool { return !s.runs() }
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			return err
		}
		if !until(ctx, 15*time.Second, gone) && syscall.Kill(pid, syscall.SIGKILL) == nil && !until(ctx, 15*time.Second, gone) {
			return fmt.Errorf("%s (process %d) does not stop; its log is %s", s.label, pid, s.logFile())
		}
	}
	err := os.Remove(s.pidFile())
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// commandOf returns the command line of a process, or "" if there is none, or if it has ended and nobody has waited for it.
func commandOf(pid int) string {
	if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		content, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")) // gone: empty
		return strings.ReplaceAll(string(content), "\x00", " ")
	}
	out, _ := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec,noctx // it returns at once
	return string(out)
}

// until tries until the condition holds.
func until(ctx context.Context, limit time.Duration, condition func() bool) bool {
	end := time.Now().Add(limit)
	for !condition() {
		if ctx.Err() != nil || time.Now().After(end) {
			return false
		}
		time.Sleep(50 * time.Millisecond)
	}
	return true
}

// tail returns the last lines of a file.
func tail(path string) string {
	content, err := os.ReadFile(path) //nolint:gosec // a log of this program
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
