#!/usr/bin/env bash
#
# Lints the interface document with Spectral and Redocly, in the versions of tools/openapi/package.json. Errors and warnings
# fail; the rules that are off stand with their reason in tools/openapi/*.yaml.

set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v npm >/dev/null; then
	echo "SKIPPED: there is no npm on this machine, so Spectral and Redocly cannot be installed; the Go lints of ./api still run"
	exit 0
fi

tools=tools/openapi
(cd "$tools" && npm ci --no-audit --no-fund --loglevel=error)

published=$(mktemp -d)/openapi.json
trap 'rm -rf "$(dirname "$published")"' EXIT
go run ./cmd/openapi >"$published"

# The tools are to look at the document and to tell nobody.
export SCARF_ANALYTICS=false REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

echo "Spectral, hand-written document"
"$tools/node_modules/.bin/spectral" lint --fail-severity=warn --ruleset "$tools/spectral-source.yaml" api/clinic.v1.yaml
echo "Spectral, published document"
"$tools/node_modules/.bin/spectral" lint --fail-severity=warn --ruleset "$tools/spectral.yaml" "$published"
echo "Redocly, published document"
"$tools/node_modules/.bin/redocly" lint --max-problems=50 --config "$tools/redocly.yaml" --format=summary "$published" 2>&1 |
	tee /dev/stderr | awk '/^(error|warning) / { found = 1 } END { exit found }'
