"""Rehearse the parameter files of the paper profile (nbs/params/*.paper.yaml).

Each runs for two optimizer steps on a few tiny videos in the data set's own form, with random weights.
03 has the full model, the others a small one. Arguments choose files by a part of their name.
The tests call this in a copy of the clone, because it writes figures/paper/.
"""
import json, sys, tempfile
from pathlib import Path

import numpy as np
from papermill.iorw import read_yaml_file

from apt_nb.core import repo_root
from apt_nb.notebooks import check_parameters
from apt_nb.reproduce import execute
from apt_nb.stats import text_ints
from apt_nb.video import write_mp4

# these replace the file's own: the model (except in 03, which has fewer clips), the places that a user fills in,
# and the length
SMALL = dict(model='vit_tiny', size=32)
SHORT = dict(weights='', complete=False, epochs=2, warmup_epochs=1, batch_size=4, micro_batch=2, workers=1,
             precision='fp32') # CPUs are slow in fp16
FEW_CLIPS = dict(epochs=1, warmup_epochs=.5, batch_size=2, micro_batch=1, test_clips=1, test_crops=1)

def write(
    root,        # folder
    videos=(),   # names of videos of 20 frames
    **texts,     # texts by file name
):               # `root`
    "Write videos and text files below a folder."
    rng = np.random.default_rng(0)
    for path in [root/n for n in (*videos, *texts)]: path.parent.mkdir(parents=True, exist_ok=True)
    for v in videos: write_mp4(root/v, rng.integers(0, 255, (20, 48, 64, 3)).astype(np.uint8), 12)
    for name, text in texts.items(): (root/name).write_text(text)
    return root

def ssv2(root):
    "Two labels: four videos to train on, two to test on."
    labels = 'Pushing something from left to right', 'Pushing something from right to left'
    templates = [label.replace('something', '[something]') for label in labels]
    entries = [dict(id=str(i), template=templates[i % 2]) for i in range(6)]
    texts = {'labels.json': {label: str(i) for i, label in enumerate(labels)},
             'train.json': entries[:4], 'validation.json': entries[4:]}
    return write(root, [f'{e["id"]}.mp4' for e in entries], **{n: json.dumps(t) for n, t in texts.items()})

def ucf101(root):
    "Two classes: two films of each to train on, one to test on."
    names = {g: [f'{c}/v_{c}_g{g:02}_c01.mp4' for c in ('Archery', 'Bowling')] for g in (1, 8, 9)}
    train = [f'{n} {i + 1}\n' for g in (8, 9) for i, n in enumerate(names[g])]
    texts = {'classInd.txt': '1 Archery\n2 Bowling\n', 'trainlist01.txt': ''.join(train),
             'testlist01.txt': '\n'.join(names[1])}
    return write(root, sum(names.values(), []), **texts)

def hmdb51(root):
    "Two classes: two films of each to train on, one to test on."
    names = {c: [f'film{f}_{c}_u_cm_np1_fr_med_0.mp4' for f in range(3)] for c in ('clap', 'wave')}
    uses = '112'  # two for training, one for testing
    text = lambda videos: ''.join(f'{n} {use}\n' for n, use in zip(videos, uses))
    lists = {f'{c}_test_split1.txt': text(videos) for c, videos in names.items()}
    return write(root, [f'{c}/{n}' for c, ns in names.items() for n in ns], **lists)

def on_tiny_videos(
    values,  # parameters of a file
    data,    # {data set: folder of tiny videos}
    other,   # settings that replace the file's
):           # parameters
    "Fill in a user's places. Of a comparison, keep every sixth row, those beside, and one rate for each method."
    values = dict(values, jobs=1, settings=values['settings'] | other)
    if 'epochs' in values:  # the experiment sets it, with a warm-up of its own
        del values['settings']['epochs'], values['settings']['warmup_epochs']
        values |= dict(epochs=[other['epochs']], search_epochs=other['epochs'])
    if 'targets' not in values: return values | dict(data=str(data[values['settings']['dataset']]))
    place = lambda settings: dict(data=str(data[settings['dataset']])) if 'dataset' in settings else {}
    targets = {k: t | place(t) | dict(weights='') for k, t in values['targets'].items()}
    values['settings'] |= place(values['settings'])
    values['settings'].pop('weights')  # each target has its own
    named = {r: values['rows'][r] for r in values.get('beside', [])}
    rows = dict(list(values['rows'].items())[::6]) | named
    lrs = {r['method']: values['lrs'][r['method']][:1] for r in rows.values()}
    return values | dict(targets=targets, rows=rows, lrs=lrs, search={})

def rehearse(
    nb,      # notebook
    values,  # parameters of its file
    data,    # {data set: folder of tiny videos}
    other,   # settings that replace the file's
):           # records of the runs
    "Run a notebook, and check that its records have two steps and the file's settings."
    short = on_tiny_videos(values, data, other)
    check_parameters(nb, short, nb.name)
    execute(nb, short, nb.parent/'_runs'/f'{nb.stem}.rehearsed.ipynb')
    files = (nb.parent.parent/'figures/paper/records').glob(f'{nb.stem}*.json')
    saved = sum((json.loads(f.read_text()) for f in files), [])
    records = [r for r in saved if 'steps' in r] # a run of a search stands there without its curve, too
    for r in records:
        steps = text_ints(r['steps']['every']).sum()
        assert r['profile'] == 'paper' and steps == 2, f'{nb.stem}: {r["profile"]}, {steps}'
        assert r['config']['validate_on'] == 'test', f'{nb.stem}: not the published protocol'
    kept = {k: v for k, v in values['settings'].items() if k not in (*other, 'data', 'protocol')}
    lost = [k for k, v in kept.items() if not any(r['config'][k] == v for r in records)]
    assert records and not lost, f'{nb.stem}: no run has these settings of the file: {", ".join(lost)}'
    return records

def main(*chosen):
    root = repo_root()
    with tempfile.TemporaryDirectory() as tmp:
        data = {f.__name__: f(Path(tmp)/f.__name__) for f in (ssv2, ucf101, hmdb51)}
        files = sorted((root/'nbs/params').glob('*.paper.yaml'))
        files = [f for f in files if not chosen or any(c in f.name for c in chosen)]
        if not files: sys.exit(f'no parameter file has {" or ".join(chosen)} in its name')
        for file in files:
            values = read_yaml_file(str(file))
            if 'settings' not in values:
                print(f'{file.name}: trains nothing')
                continue
            other = SHORT | (FEW_CLIPS if file.name.startswith('03') else SMALL)
            records = rehearse(root/f'nbs/{file.name.removesuffix(".paper.yaml")}.ipynb', values, data, other)
            model, sets = records[0]['config']['model'], {r['data_hash'] for r in records}
            print(f'{file.name}: {len(records)} runs of {model} on {len(sets)} data set(s)')

if __name__ == '__main__': main(*sys.argv[1:])
