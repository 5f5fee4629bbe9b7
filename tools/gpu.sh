#!/usr/bin/env bash
# What a GPU makes of this project, in a given time: the cells that need one, the steps of notebook 12 at the
# paper's size, and as much of the demo as fits. Records, tables, executed notebooks and logs go to a folder.
#
#   tools/gpu.sh [MINUTES] [FOLDER]     9 minutes and ./gpu_results, if you do not say otherwise
#
# It makes an environment that sees the packages of your python, such as its torch. Without a network, give a
# folder of wheels for the rest: PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels. SIZE=smoke tries the script on a CPU.
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
minutes=${1:-9} out=${2:-$root/gpu_results} size=${SIZE:-paper}
end=$(( $(date +%s) + 60 * minutes ))
mkdir -p "$out" && out=$(cd "$out" && pwd -P)
export VENV=${VENV:-$root/.venv-gpu} APT_NB_CACHE=$out/cache
[ -e "$VENV" ] || "${PYTHON:-python3}" -m venv --system-site-packages "$VENV"
. "$root/tools/setup.sh" > "$out/setup.log" 2>&1

stage() { # name, most seconds, command
    local name=$1 most=$2 start left rc; shift 2
    start=$(date +%s); left=$(( end - start - 15 ))
    if [ "$left" -lt 20 ]; then echo "$name: no time left"; return; fi
    timeout -k 10 -s INT $(( most < left ? most : left )) "$@" > "$out/$name.log" 2>&1
    rc=$?
    echo "$name: exit status $rc after $(( $(date +%s) - start )) s"
}

cd "$root"
stage machine 60 "$bin/python" -c 'import platform, torch
print(platform.python_version(), torch.__version__, torch.cuda.is_available() and torch.cuda.get_device_name())'
cat "$out/machine.log"
for nb in 08_training 10_cost 11a_run; do # on a GPU they use it, also where no cell asks for one
    stage "cells_$nb" 120 "$bin/nbdev_test" --path "nbs/api/$nb.ipynb" --flags gpu --n_workers 0
done
stage speed 180 "$bin/papermill" nbs/12_speed.ipynb "$out/12_speed.ipynb" -f "nbs/params/12_speed.$size.yaml"
[ "$size" = smoke ] && demo="--profile smoke --only 03" || demo="--profile demo --devices 0 --jobs ${JOBS:-8}"
stage runs 3600 "$bin/apt_nb_reproduce" $demo
cp -r figures "$out/"
find "$out/cache/runs" \( -name last.pt -o -name lock \) -delete 2>/dev/null
rm -rf "$out/cache/moving_shapes"
echo "everything is in $out"
