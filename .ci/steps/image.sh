#!/usr/bin/env bash
#
# The image is built, and the service in it is run as a cluster runs it. Then it is built once more, elsewhere and with
# nothing cached, and has to be the same byte by byte. CLINIC_TEST_STORE names the database.
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/image
before=$(sha256sum bin/image/index.json | cut -d ' ' -f 1)

if [ "$(id -u)" != 0 ]; then
	echo "SKIPPED: running the image needs root"
else
	# Nothing but the image is there, nothing can be written but /tmp, and no capability is left.
	scripts/image-run /app/ehr --help >/dev/null
	scripts/image-run /bin/sh -c "sleep 0"
	if scripts/image-run /bin/sh -c "id" 2>/dev/null; then
		echo "the image has a shell"
		exit 1
	fi
	CLINIC_TEST_BINARY=$PWD/scripts/image-run go test -count=1 ./test/story
	go test -C test/deploy -count=1 -run TestManifestsStartTheImage ./...
fi

# A clone in another folder, with a cache of its own: neither the place nor what was built before may be in the image.
if [ -n "$(git status --porcelain)" ]; then
	echo "SKIPPED: comparing two builds needs a checkout without changes"
	exit 0
fi
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
git worktree add --quiet --detach "$elsewhere/other/place" HEAD
trap 'git worktree remove --force "$elsewhere/other/place"; rm -rf "$elsewhere"' EXIT
SERVICE_CACHE=$elsewhere/cache OUT=$elsewhere/out "$elsewhere/other/place/scripts/image"
after=$(sha256sum "$elsewhere/out/image/index.json" | cut -d ' ' -f 1)
if [ "$before" != "$after" ]; then
	echo "two builds of the same commit differ: $before $after"
	diff -rq bin/rootfs "$elsewhere/out/rootfs" || true
	exit 1
fi
echo "two builds are equal byte by byte: index $before"
