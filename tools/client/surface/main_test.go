package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// sample is a package for lists to be true or untrue of.
const sample = `package sample

import "context"

type Kind string

const Large Kind = "large"

type Alias = string
type Things []Thing
type Thing struct{ Name *string }

func Connect(server string, options ...int) (*Thing, error) { return nil, nil }

type Caller interface{ Call(ctx context.Context, id Alias) error }

func (Thing) Size() int { return 0 }
func (*Thing) Grow(by int) {}
`

// run makes a program of a list and runs it, and returns what failed of that.
func run(t *testing.T, list string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	made, err := assertions(list, "example.com/m/sample", "main")
	if err != nil {
		return "", err
	}
	for name, content := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.23\n", "sample/sample.go": sample, "main.go": string(made),
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("go", "run", ".")
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestTrueListsCompile(t *testing.T) {
	t.Parallel()
	out, err := run(t, `
# What is true of the sample.
const Large Kind = "large"
field Thing.Name *string
func (*Thing) Grow(by int)
func (Caller) Call(ctx context.Context, id Alias) error
func (Thing) Size() int
func Connect(server string, options ...int) (*Thing, error)
type Alias = string
type Caller interface
type Kind string
type Thing struct
type Things []Thing
`)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestUntrueListsDoNot(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		`const Large Kind = "small"`,
		`const Large string = "large"`,
		`const Small Kind = "small"`,
		`field Thing.Name string`,
		`field Thing.Names *string`,
		`func (Thing) Size() int64`,
		`func (Thing) Grow(by int)`,
		`func (Caller) Call(ctx context.Context, id Kind) error`,
		`func Connect(server string, options []int) (*Thing, error)`,
		`type Kind = string`,
		`type Kind int`,
		`type Things []string`,
		`type Things struct`,
		`type Thing interface`,
		`type Nothing struct`,
		`var Large Kind`,
		`const Large`,
		`field Thing`,
		`func nothing`,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			if out, err := run(t, line); err == nil {
				t.Fatalf("went through: %s", out)
			}
		})
	}
}
