#!/usr/bin/env bash
# ./test.sh                 all tests
# ./test.sh -k 03_video     the tests whose name contains this text
# Every argument goes to pytest. pytest.ini has the defaults.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$root/tools/setup.sh"
cd "$root"
exec "$bin/python" -m pytest "$@"
