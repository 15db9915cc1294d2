#!/usr/bin/env bash
#
# Checks the modules for consumers, which `go test ./...` in the root does not reach: their tests, that they need no newer Go
# than promised, and that a program outside the repository compiles with all that consumers use.

set -euo pipefail
cd "$(dirname "$0")/../.."

root=$PWD
promised=1.23
module=github.com/tidepool-org/clinic
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for folder in client redox_models tools/client; do
	echo "$folder"
	(
		cd "$folder"
		go mod tidy -diff >"$work/tidy" || { echo "go mod tidy changes $folder/go.mod or go.sum" && exit 1; }
		go vet ./...
		go test -shuffle=on ./...
		go tool -modfile="$root/tools/go.mod" golangci-lint run ./...
	)
done

# A consumer on the old version of Go. Another module that it uses asks for a version of the client from long ago, which is
# nowhere to be had: the consumer's replacement has to stand in for every version.
mkdir -p "$work/older" "$work/consumer/client" "$work/consumer/redox"
cat >"$work/older/go.mod" <<-EOF
	module example.com/older

	go 1.21

	require $module/client v0.9.0
EOF
cat >"$work/older/older.go" <<-EOF
	package older

	import "$module/client"

	func Connect(server string) (client.ClientWithResponsesInterface, error) { return client.NewClientWithResponses(server) }
EOF
cat >"$work/consumer/go.mod" <<-EOF
	module example.com/consumer

	go $promised

	require (
		example.com/older v0.0.0
		$module/client v0.0.0
		$module/redox_models v0.0.0
	)

	replace (
		example.com/older => ../older
		$module/client => $root/client
		$module/redox_models => $root/redox_models
	)
EOF
cat client/go.sum redox_models/go.sum | sort -u >"$work/consumer/go.sum"
cat >"$work/consumer/client/older.go" <<-EOF
	package main

	import "example.com/older"

	var _, _ = older.Connect("http://localhost")
EOF
for name in client redox; do
	package=client
	[ "$name" = client ] || package=redox_models
	go -C tools/client run ./surface -list "$root/$package/testdata/surface.txt" -import "$module/$package" >"$work/consumer/$name/surface.go"
done

cd "$work/consumer"
GOWORK=off GOFLAGS=-mod=mod go build -o bin/ ./...
bin/client # checks the values of constants
bin/redox
# The go command raises this line when it has to.
if ! grep -qx "go $promised" go.mod; then
	echo "a module that consumers need asks for a newer Go than $promised:"
	go list -m -f '{{.Path}} {{.Version}} {{.GoVersion}}' all
	exit 1
fi
echo "a consumer on Go $promised compiles with all that consumers use"
