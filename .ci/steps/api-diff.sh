#!/usr/bin/env bash
#
# Compares the Go API of the modules for consumers with that of an earlier commit, and fails if something is gone or has
# another type and CHANGELOG.md does not say so: a line added since then has to name each such thing in backquotes, as in
# `client.PatientV1.Tags`. Takes the commit as its argument; default is the one before the last, so that what is not
# committed yet counts as well. What consumers are known to use must not change at all: see testdata/surface.txt of both.

set -euo pipefail
cd "$(dirname "$0")/../.."

base=${1:-${API_DIFF_BASE:-HEAD^}}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! git rev-parse --quiet --verify "$base^{commit}" >/dev/null; then
	echo "SKIPPED: there is no commit $base to compare with (a shallow clone?)"
	exit 0
fi

go build -modfile=tools/client/go.mod -o "$work/apidiff" golang.org/x/exp/cmd/apidiff
announced=$(git diff "$base" -- CHANGELOG.md | grep '^+' || true)

# api FOLDER FILE: writes what the package in the folder exports.
api() { (cd "$1" && "$work/apidiff" -w "$2" .); }

status=0
for module in client redox_models; do
	if ! git cat-file -e "$base:$module/go.mod" 2>/dev/null; then
		echo "$module: no module at $base"
		continue
	fi
	mkdir "$work/$module"
	git archive "$base" "$module" | tar -x -C "$work"
	api "$work/$module" "$work/$module.old"
	api "$module" "$work/$module.new"
	"$work/apidiff" -incompatible "$work/$module.old" "$work/$module.new" >"$work/$module.diff"
	unannounced=0
	while IFS= read -r change; do
		name=${change#- }
		name=${name%%:*}
		if grep -qF "\`$module.$name\`" <<<"$announced"; then
			echo "$module: announced: ${change#- }"
		else
			echo "$module: NOT ANNOUNCED: ${change#- }"
			unannounced=$((unannounced + 1))
		fi
	done < <(grep '^- ' "$work/$module.diff" || true)
	if [ "$unannounced" -gt 0 ]; then
		echo "$module: $unannounced changes break consumers; undo them, or name them in CHANGELOG.md, for instance as \`$module.$name\`"
		status=1
	else
		echo "$module: nothing breaks unannounced since $(git rev-parse --short "$base")"
	fi
done
exit "$status"
