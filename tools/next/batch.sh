#!/usr/bin/env bash
# tools/next/batch.sh 06,08,09      train what is left of these notebooks in the folder $NEXT (resumable)
# tools/next/batch.sh               only bring the finished records into runs.json.gz
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
. "$root/tools/setup.sh"
next=${NEXT:-$HOME/.cache/apt_nb_next}
export APT_NB_CACHE=$next/cache PYTHONPATH=$next/clone
if [ ! -d "$next/clone" ]; then
    rm -rf "$next/part" # of a call that was interrupted
    git clone -q "$root" "$next/part"
    git -C "$next/part" apply --whitespace=nowarn "$root/tools/next/changes.patch"
    cp "$root"/tools/next/moving_shapes* "$next/part/apt_nb/pretrained/"
    git -C "$next/part" add -A
    git -C "$next/part" -c user.name=next -c user.email=next@localhost commit -qm 'The next batch'
    mv "$next/part" "$next/clone"
fi
"$bin/python" "$root/tools/next/records.py" "$APT_NB_CACHE"
if [ $# -gt 0 ]; then exec "$bin/apt_nb_reproduce" --profile demo --only "$@"; fi
