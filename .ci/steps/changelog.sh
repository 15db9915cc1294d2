#!/usr/bin/env bash
# The changelog is well formed, and fits the tags.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/changelog check
