"""The parameter files of the paper profile (nbs/params/*.paper.yaml), each for two optimizer steps on a few tiny videos in the form of Something-Something v2,
with random weights: 03 at full model size, the others on the small model. Run by the tests in a copy of the clone; writes figures/paper/ there."""
import json, sys, tempfile
from pathlib import Path

import numpy as np
from papermill.iorw import read_yaml_file

from apt_nb.reproduce import check_parameters, execute, repo_root
from apt_nb.video import write_mp4

LABELS = ('Pushing something from left to right', 'Pushing something from right to left')
# what differs from the file: the model, but for one notebook; the data and weights that a user fills in; how long it takes
SMALL = dict(model='vit_tiny', size=32)
SHORT = dict(weights='', complete=False, val_fraction=.5, epochs=2, warmup_epochs=1, batch_size=2, workers=1)

def tiny_ssv2(root, train=4, test=2):
    "A folder of videos of 20 frames with labels.json, train.json and validation.json"
    rng, parts = np.random.default_rng(0), {}
    for part, n in dict(train=train, validation=test).items():
        parts[part] = [dict(id=str(1000*(part == 'train') + i), template=LABELS[i % 2].replace('something', '[something]')) for i in range(n)]
        for v in parts[part]: write_mp4(root/f'{v["id"]}.mp4', rng.integers(0, 255, (20, 48, 64, 3)).astype(np.uint8), 12)
    for name, content in dict(parts, labels={l: str(i) for i, l in enumerate(LABELS)}).items(): (root/f'{name}.json').write_text(json.dumps(content))
    return root

def rehearse(nb, values, data, other):
    "Run a notebook on `data` with `other` settings; its records, checked"
    short = values | dict(data=str(data), jobs=1, settings=values['settings'] | other)
    check_parameters(nb, short, nb.name)
    execute(nb, short, nb.parent/'_runs'/f'{nb.stem}.rehearsed.ipynb')
    records = json.loads(next((nb.parent.parent/'figures/paper/records').glob(f'{nb.stem}*.json')).read_text())
    for r in records: assert r['profile'] == 'paper' and r['steps']['step'][-1] == 2, f'{nb.stem}: {r["profile"]}, {r["steps"]["step"]}'
    lost = [k for k, v in values['settings'].items() if k not in other and not any(r['config'][k] == v for r in records)]
    assert not lost, f'{nb.stem}: no run has the {", ".join(lost)} of the file'
    return records

if __name__ == '__main__':
    root = repo_root()
    files = [f for f in sorted((root/'nbs/params').glob('*.paper.yaml')) if any(c in f.name for c in sys.argv[1:] or [''])] # arguments choose by name
    with tempfile.TemporaryDirectory() as tmp:
        data = tiny_ssv2(Path(tmp))
        for f in files:
            values = read_yaml_file(str(f))
            if 'settings' not in values: print(f'{f.name}: trains nothing'); continue
            records = rehearse(root/'nbs'/f'{f.name.removesuffix(".paper.yaml")}.ipynb', values, data, SHORT | ({} if f.name.startswith('03') else SMALL))
            print(f'{f.name}: {len(records)} runs of {records[0]["config"]["model"]}, {records[0]["n_tuned"]:,} parameters tuned', flush=True)
