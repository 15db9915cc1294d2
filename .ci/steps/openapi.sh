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

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp tools/openapi/package.json tools/openapi/package-lock.json tools/openapi/.npmrc "$work/"
(cd "$work" && npm ci --no-audit --no-fund --loglevel=error)
published=$work/openapi.json
go run ./cmd/openapi >"$published"

# The tools are to look at the document and to tell nobody.
export SCARF_ANALYTICS=false REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

echo "Spectral, hand-written document"
"$work/node_modules/.bin/spectral" lint --fail-severity=warn --ruleset "tools/openapi/spectral-source.yaml" api/clinic.v1.yaml
echo "Spectral, published document"
"$work/node_modules/.bin/spectral" lint --fail-severity=warn --ruleset "tools/openapi/spectral.yaml" "$published"
echo "Redocly, published document"
"$work/node_modules/.bin/redocly" lint --max-problems=50 --config "tools/openapi/redocly.yaml" --format=summary "$published" 2>&1 |
	tee /dev/stderr | awk '/^(error|warning) / { found = 1 } END { exit found }'
