#!/usr/bin/env bash
# What a GPU makes of this project, in a given time: the cells that need one, the steps of notebook 12 at the
# paper's size, the small backbones, and as much of the demo as fits. Records, tables, executed notebooks and
# logs go to a folder.
#
#   tools/gpu.sh [MINUTES] [FOLDER]     9 minutes and ./gpu_results, if you do not say otherwise
#
# STAGES="cells speed" runs only these, of: cells speed backbones runs. SIZE=smoke tries the script on a CPU.
# JOBS=16 is the number of small runs that share the GPU.
#
# Without a network, WHEELS=folder says where the wheels of all that your python lacks are. They are installed
# beside it, not into it. Then PYTHON, python3 by default, must have torch.
set -u
root=$(CDPATH= cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
minutes=${1:-9} out=${2:-$root/gpu_results} size=${SIZE:-paper} stages=${STAGES:-cells speed backbones runs}
end=$(( $(date +%s) + 60 * minutes ))
mkdir -p "$out" && rm -f "$out/failed" && out=$(CDPATH= cd "$out" && pwd -P)
export APT_NB_CACHE=${APT_NB_CACHE:-$out/cache}

beside() { # make $site, with the wheels and this project
    python=$(command -v "${PYTHON:-python3}") site=${SITE:-$root/.venv-gpu} bin=$site/bin
    [ -e "$bin/nbdev_test" ] || "$python" -m pip install --no-index --no-deps --no-build-isolation --no-compile \
        --disable-pip-version-check --target "$site" "$WHEELS"/*.whl "$root" || exit 1
    for more in "$WHEELS"/*.tar.xz; do [ -e "$more" ] && tar -xJf "$more" -C "$site"; done
    export PYTHONPATH=$root:$site PATH=$bin:$PATH JUPYTER_PATH=$site/share/jupyter
}
exec 3>&2; trap 'cat "$out/setup.log" >&3' EXIT # says why, if the installation fails
if [ -n "${WHEELS:-}" ]; then beside > "$out/setup.log" 2>&1
else
    export VENV=${VENV:-$root/.venv-gpu}
    . "$root/tools/setup.sh" > "$out/setup.log" 2>&1
    python=$bin/python
fi
trap - EXIT; exec 3>&-

stage() { # name, most seconds, command
    local name=$1 most=$2 start left rc; shift 2
    start=$(date +%s); left=$(( end - start - 15 ))
    if [ "$left" -lt 20 ]; then echo "$name: no time left"; return; fi
    timeout -k 10 -s INT $(( most < left ? most : left )) "$@" > "$out/$name.log" 2>&1
    rc=$?
    echo "$name: exit status $rc after $(( $(date +%s) - start )) s"
    case $rc in 0|124|137) ;; *) echo "$name" >> "$out/failed";; esac # no time left is no failure
}
asked() { case " $stages " in *" $1 "*) ;; *) return 1;; esac; }

cd "$root"
stage machine 60 "$python" -c 'import platform, torch, timm
print(platform.python_version(), torch.__version__, timm.__version__)
print(torch.cuda.is_available() and torch.cuda.get_device_name())'
cat "$out/machine.log"

if asked cells; then for nb in 08_training 10_cost 11a_run; do # on a GPU they use it, also where no cell asks for one
    stage "cells_$nb" 120 "$bin/nbdev_test" --path "nbs/api/$nb.ipynb" --flags gpu --n_workers 0
done; fi

if asked speed; then
    stage speed 400 "$bin/papermill" nbs/12_speed.ipynb "$out/12_speed.ipynb" -f "nbs/params/12_speed.$size.yaml"
fi

if asked backbones; then # all at once, by the commands beside them; BACKBONES names a file of other commands
    few=; [ "$size" = smoke ] && few="--steps 3 --batch_size 12 --per_action 1"
    commands=${BACKBONES:-$out/backbones.txt}
    [ -n "${BACKBONES:-}" ] || "$python" - <<'EOF' > "$commands"
import json, pathlib
found = [json.loads(f.read_text())['command'] for f in sorted(pathlib.Path('apt_nb/pretrained').glob('*.json'))]
for command in found:
    if command.startswith('apt_nb_'): print(command) # others are calls in Python
EOF
    n=0
    while read -r name words; do
        n=$((n + 1)); stage "backbone_$n" 3600 "$bin/$name" $words $few --out "$out/backbone_$n" &
    done < "$commands"
    wait
fi

if asked runs; then # small runs share the GPU better under NVIDIA's multi-process service
    shared=$(command -v nvidia-cuda-mps-control)
    [ -n "$shared" ] && nvidia-cuda-mps-control -d && echo "the multi-process service runs"
    words="--profile demo --devices 0 --jobs ${JOBS:-16}"
    [ "$size" = smoke ] && words="--profile smoke --only 03"
    stage runs 3600 "$bin/apt_nb_reproduce" $words
    [ -n "$shared" ] && echo quit | nvidia-cuda-mps-control
fi
cp -r figures "$out/"
# a cache of your own keeps its checkpoints
[ "$APT_NB_CACHE" = "$out/cache" ] && find "$APT_NB_CACHE/runs" \( -name last.pt -o -name lock \) -delete 2>/dev/null
echo "everything is in $out"
[ ! -e "$out/failed" ] || { echo "failed: $(xargs < "$out/failed")"; exit 1; }
