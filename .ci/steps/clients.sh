#!/usr/bin/env bash
#
# Generates clients from the interface document as the running service publishes it, compiles them, and lets each tell the
# same short story against that service: list, create, read, update with tag and site, an error. Versions are pinned in
# test/clients. The service has a port, a database and accounts of its own. CLIENTS_PORT chooses the port.

set -euo pipefail
cd "$(dirname "$0")/../.."

port=${CLIENTS_PORT:-18473}
export CLINIC_URL=http://127.0.0.1:$port TIDEPOOL_CLINIC_DATABASE_NAME=clinic_clients
work=$(mktemp -d)
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/clinic-dev
stack=
clean_up() {
	if [ -n "$stack" ]; then kill -TERM "$stack" 2>/dev/null && wait "$stack" || true; fi
	rm -rf "$work"
}
trap clean_up EXIT

store=$(scripts/database up)
go build -o "$work/" ./cmd/clinic ./cmd/devstack
"$work/devstack" -store "$store" -clinic "$work/clinic" -address "127.0.0.1:$port" -state "$cache/clients.json" >"$work/demo" 2>"$work/log" &
stack=$!
for _ in $(seq 120); do # the demo clinic is there when it is printed
	if [ -s "$work/demo" ]; then break; fi
	if ! kill -0 "$stack" 2>/dev/null; then cat "$work/log"; exit 1; fi
	sleep 1
done
[ -s "$work/demo" ] || { cat "$work/log"; echo "the service did not become ready"; exit 1; }
echo "Go"
go run ./test/clients/golang

# What is installed and generated stays out of the checkout.
cp -r test/clients/typescript test/clients/python "$work/"
mkdir -p "$work/typescript/generated" "$work/python/generated"
curl -fsS "$CLINIC_URL/openapi.json" | tee "$work/typescript/generated/openapi.json" >"$work/python/generated/openapi.json"

echo "TypeScript"
if command -v npm >/dev/null; then
	cd "$work/typescript"
	npm ci --no-audit --no-fund --loglevel=error
	npx --no-install openapi-typescript generated/openapi.json -o generated/openapi.ts
	npx --no-install orval --config orval.config.mjs
	npx --no-install tsc -p .
	node generated/js/fetch.js
	node generated/js/zod.js
else
	echo "SKIPPED: there is no npm on this machine, so the TypeScript clients cannot be made"
fi

echo "Python"
cd "$work/python"
if python3 -m venv venv && venv/bin/pip install -q -r requirements.txt; then
	venv/bin/openapi-python-client generate --path generated/openapi.json --config config.yaml --output-path generated/clinic --meta none
	venv/bin/python -m compileall -q generated
	venv/bin/python story.py
else
	echo "SKIPPED: openapi-python-client cannot be installed on this machine"
fi
