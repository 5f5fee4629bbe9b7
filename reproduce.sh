#!/usr/bin/env bash
# ./reproduce.sh                              the dropout study (Table 2, Figure 4), demo size, two runs trained
# ./reproduce.sh --profile smoke --only 03    any call of apt_nb_reproduce (--help lists its options)
set -eu
root=$(CDPATH= cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
if [ ! -e "$root/tools/setup.sh" ]; then echo "Call $(basename "$0") by its path in the clone, not by a link." >&2; exit 1; fi
. "$root/tools/setup.sh"
[ $# -gt 0 ] || set -- --profile demo --only 03 --seeds 0 --runs 2
exec "$bin/apt_nb_reproduce" "$@"
