"""The parameter files of the paper profile (nbs/params/*.paper.yaml), each for two optimizer steps on a few tiny videos in the data set's own form, with random
weights: 03 at full model size, the others on the small model. Run by the tests in a copy of the clone; writes figures/paper/ there."""
import json, sys, tempfile
from pathlib import Path

import numpy as np
from papermill.iorw import read_yaml_file

from apt_nb.reproduce import check_parameters, execute, repo_root
from apt_nb.video import write_mp4

# what differs from the file: the model, but for one notebook; the data and weights that a user fills in; how long it takes
SMALL = dict(model='vit_tiny', size=32)
SHORT = dict(weights='', complete=False, val_fraction=.5, epochs=2, warmup_epochs=1, batch_size=2, workers=1)

def write(root, videos=(), **texts):
    "Videos of 20 frames and text files below `root`, which is returned"
    rng = np.random.default_rng(0)
    for path in [root/n for n in (*videos, *texts)]: path.parent.mkdir(parents=True, exist_ok=True)
    for v in videos: write_mp4(root/v, rng.integers(0, 255, (20, 48, 64, 3)).astype(np.uint8), 12)
    for name, text in texts.items(): (root/name).write_text(text)
    return root

def ssv2(root):
    "Two labels; four videos for training, two for testing"
    labels = 'Pushing something from left to right', 'Pushing something from right to left'
    entries = [dict(id=str(i), template=labels[i % 2].replace('something', '[something]')) for i in range(6)]
    texts = {'labels.json': {l: str(i) for i, l in enumerate(labels)}, 'train.json': entries[:4], 'validation.json': entries[4:]}
    return write(root, [f'{e["id"]}.mp4' for e in entries], **{n: json.dumps(t) for n, t in texts.items()})

def ucf101(root):
    "Two classes; two films of each for training, one for testing"
    names = {g: [f'{c}/v_{c}_g{g:02}_c01.mp4' for c in ('Archery', 'Bowling')] for g in (1, 8, 9)}
    train = ''.join(f'{n} {i + 1}\n' for g in (8, 9) for i, n in enumerate(names[g]))
    return write(root, sum(names.values(), []), **{'classInd.txt': '1 Archery\n2 Bowling\n', 'trainlist01.txt': train, 'testlist01.txt': '\n'.join(names[1])})

def hmdb51(root):
    "Two classes; two films of each for training, one for testing"
    names = {c: [f'film{f}_{c}_u_cm_np1_fr_med_0.mp4' for f in range(3)] for c in ('clap', 'wave')}
    lists = {f'{c}_test_split1.txt': ''.join(f'{n} {use}\n' for n, use in zip(ns, '112')) for c, ns in names.items()}
    return write(root, [f'{c}/{n}' for c, ns in names.items() for n in ns], **lists)

def on_tiny_videos(values, data, other):
    "The parameters of a file with the user's places filled in; of a comparison, three methods and one rate"
    values = dict(values, jobs=1, settings=values['settings'] | other)
    if 'targets' not in values: return values | dict(data=str(data[values['settings']['dataset']]))
    place = lambda settings: dict(data=str(data[settings['dataset']])) if 'dataset' in settings else {}
    targets = {k: t | place(t) | dict(weights='') for k, t in values['targets'].items()}
    values['settings'] |= place(values['settings'])
    rows = dict(list(values['rows'].items())[::6])
    values['settings'].pop('weights') # each target has its own
    return values | dict(targets=targets, rows=rows, lrs={r['method']: values['lrs'][r['method']][:1] for r in rows.values()}, search={})

def rehearse(nb, values, data, other):
    "Run a notebook with `other` settings; its records, checked"
    short = on_tiny_videos(values, data, other)
    check_parameters(nb, short, nb.name)
    execute(nb, short, nb.parent/'_runs'/f'{nb.stem}.rehearsed.ipynb')
    records = sum((json.loads(f.read_text()) for f in (nb.parent.parent/'figures/paper/records').glob(f'{nb.stem}*.json')), [])
    for r in records: assert r['profile'] == 'paper' and r['steps']['step'][-1] == 2, f'{nb.stem}: {r["profile"]}, {r["steps"]["step"]}'
    lost = [k for k, v in values['settings'].items() if k not in (*other, 'data') and not any(r['config'][k] == v for r in records)]
    assert records and not lost, f'{nb.stem}: no run has the {", ".join(lost)} of the file'
    return records

if __name__ == '__main__':
    root = repo_root()
    files = [f for f in sorted((root/'nbs/params').glob('*.paper.yaml')) if any(c in f.name for c in sys.argv[1:] or [''])] # arguments choose by name
    with tempfile.TemporaryDirectory() as tmp:
        data = {f.__name__: f(Path(tmp)/f.__name__) for f in (ssv2, ucf101, hmdb51)}
        for f in files:
            values = read_yaml_file(str(f))
            if 'settings' not in values: print(f'{f.name}: trains nothing'); continue
            records = rehearse(root/'nbs'/f'{f.name.removesuffix(".paper.yaml")}.ipynb', values, data, SHORT | ({} if f.name.startswith('03') else SMALL))
            print(f'{f.name}: {len(records)} runs of {records[0]["config"]["model"]} on {len({r["data_hash"] for r in records})} data set(s)', flush=True)
