#!/usr/bin/env bash
# Manifests, rules, alert pages, dashboards and the metrics table. Starting the service from its image is in image.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
unformatted=$(gofmt -l test/deploy tools/image)
if [ -n "$unformatted" ]; then
	echo "not formatted by gofmt: $unformatted"
	exit 1
fi
scripts/promtool
go vet -C tools/image ./...
go vet -C test/deploy ./...
go test -C test/deploy -count=1 -skip TestManifestsStartTheImage ./...
