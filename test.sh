#!/usr/bin/env bash
# ./test.sh             all tests
# ./test.sh 03_video    only those whose name holds this text
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$root/tools/setup.sh"
exec "$bin/python" "$root/tools/test.py" "$@"
