#!/usr/bin/env bash
# tools/next/batch.sh 02,08,09      train what is left of these notebooks in the folder $NEXT (resumable)
# tools/next/batch.sh               only bring the finished records into runs.json.gz
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
. "$root/tools/setup.sh"
next=${NEXT:-$HOME/.cache/apt_nb_next}
export APT_NB_CACHE=$next/cache PYTHONPATH=$next/clone
if [ ! -d "$next/clone" ]; then
    git clone -q "$root" "$next/clone"
    git -C "$next/clone" apply --whitespace=nowarn "$root/tools/next/changes.patch"
    cp "$root"/tools/next/moving_shapes* "$next/clone/apt_nb/pretrained/"
    git -C "$next/clone" add -A
    git -C "$next/clone" -c user.name=next -c user.email=next@localhost commit -qm 'The next batch'
fi
"$bin/python" "$root/tools/next/records.py" "$APT_NB_CACHE"
if [ $# -gt 0 ]; then exec "$bin/apt_nb_reproduce" --profile demo --only "$@"; fi
