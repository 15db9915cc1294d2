#!/usr/bin/env bash
# The changelog is well formed, and says something of this change if the branch changes what is shipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/changelog check
