#!/usr/bin/env bash
# tools/next/land.sh    put the finished batch in the place of November's demo, in this clone
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
. "$root/tools/setup.sh"
export PATH=$bin:$PATH PYTHONPATH=$root
cache=$(mktemp -d)

execute() { # execute CACHE NOTEBOOK...
    local nb; export APT_NB_CACHE=$1; shift
    for nb in "$@"; do
        echo "$(date +%T) $nb"
        (cd "$(dirname "nbs/$nb")" && jupyter nbconvert --to notebook --execute --inplace --log-level ERROR \
            --ExecutePreprocessor.timeout=3000 "$(basename "$nb").ipynb")
        nbdev_clean --fname "nbs/$nb.ipynb"
    done
}

cd "$root"
experiments=$(cd nbs && printf '%s\n' 0[1-689]_*.ipynb | sed 's/.ipynb//')
if ! grep -q 'epochs:int = 24 ' apt_nb/config.py; then # not applied yet
    git apply --whitespace=nowarn tools/next/changes.patch
    cp tools/next/moving_shapes* apt_nb/pretrained/
fi
python tools/next/records.py "$cache/batch"
rm -f figures/demo/made_by.json           # of the runs that are replaced
execute "$cache/batch" $experiments       # tables, figures and records of the batch
python tools/check_records.py             # the records are of this code
execute "$cache/empty" $experiments       # as a user finds them: all records are shipped
execute "$cache/empty" api/{06_moving_shapes,09_pretraining,09b_textured_backbone,11_config,12d_audit,12g_speed} \
    api/{13b_own_videos,14_commands} 10_audit faq
python -c 'from apt_nb.gallery import save_gallery; save_gallery()'
nbdev_export
python tools/readme.py
git status --short | head -100
