#!/usr/bin/env bash
# ./test.sh                 all tests
# ./test.sh -k 03_video     the tests whose name contains this text
# Every argument goes to pytest. pytest.ini has the defaults.
set -eu
root=$(CDPATH= cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
if [ ! -e "$root/tools/setup.sh" ]; then echo "Call $(basename "$0") by its path in the clone, not by a link." >&2; exit 1; fi
. "$root/tools/setup.sh"
cd "$root"
exec "$bin/python" -m pytest "$@"
