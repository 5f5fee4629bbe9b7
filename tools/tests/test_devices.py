"One run on several processes: the losses and answers of one process, from any checkpoint."
import json, os, shutil, subprocess, sys

import numpy as np, pytest
from filelock import FileLock

SMALL = dict(n_train=2, n_val=2, n_test=3, epochs=2, warmup_epochs=.5, batch_size=12, precision='fp32')
PROGRAM = '''
import json, os, sys
from apt_nb import run as room
from apt_nb.config import preset
from apt_nb.training import make_accelerator
settings, stop, apart = json.loads(sys.argv[1])
if apart and os.environ['RANK'] == '1': os.environ['APT_NB_CACHE'] += '/of another machine'
after = iter(['the first epoch'])
def stopping(model):
    if next(after, None) is None: raise InterruptedError('in the second epoch')
    return {}
if stop: room.active_scales = stopping
try: record = room.run(preset('smoke', **settings), progress=False)
except (InterruptedError, ValueError) as e: sys.exit(f'{type(e).__name__}: {e}')
if make_accelerator().is_main_process: print('RECORD', json.dumps(record))
'''

def call(folder, program, processes, *args):
    "What a program prints that runs on a number of processes, one after the other: on a pipe they mix their lines."
    script, logs = folder/'program.py', folder/'logs'
    script.write_text(program)
    shutil.rmtree(logs, ignore_errors=True)
    how = ['-m', 'torch.distributed.run', '--standalone', f'--nproc-per-node={processes}', '--redirects=3',
           f'--log-dir={logs}'] * (processes > 1)
    env = dict(os.environ, APT_NB_CACHE=str(folder), ACCELERATE_USE_CPU='1', OMP_NUM_THREADS='1')
    done = subprocess.run([sys.executable, *how, str(script), *args], env=env, capture_output=True, text=True,
                          timeout=600)
    for name in ('stdout', 'stderr'):
        said = [file.read_text() for file in sorted(logs.glob(f'**/{name}.log'))]
        setattr(done, name, getattr(done, name) + ''.join(said))
    return done

def launch(folder, processes, stop=False, apart=False, **settings):
    """A run in `folder`, on a number of processes: its record, or what it printed. `stop`: it dies in epoch 2.
    `apart`: the second process has a cache of its own."""
    done = call(folder, PROGRAM, processes, json.dumps([SMALL | settings, stop, apart]))
    lines = [line for line in done.stdout.splitlines() if line.startswith('RECORD ')]
    return json.loads(lines[0][7:]) if lines and not apart else done.stdout + done.stderr

def losses(record):
    "Training losses and validation losses of each epoch."
    return np.array([[e['train_loss'], e['val_loss']] for e in record['curves']])

def same(a, b):
    "Two records of one run, up to the order of sums."
    np.testing.assert_allclose(losses(a), losses(b), atol=1e-5)
    np.testing.assert_allclose(a['steps']['loss'], b['steps']['loss'], atol=1e-5)
    for k in ('labels', 'predicted', 'correct', 'n'): assert a['test'][k] == b['test'][k], k
    assert a['hash'] == b['hash']

@pytest.fixture(scope='module')
def alone(tmp_path_factory): return launch(tmp_path_factory.mktemp('alone'), 1)

def test_uneven_shards(alone, tmp_path):
    "36 test videos in batches of 8: the last one is short, and each process has a part of it."
    record = launch(tmp_path, 2)
    assert record['environment']['processes'] == 2 and record['test']['n'] == 36
    same(record, alone)

@pytest.mark.parametrize('first, then', [(2, 1), (1, 2)])
def test_goes_on_with_another_number(alone, tmp_path, first, then):
    assert 'InterruptedError: in the second epoch' in launch(tmp_path, first, stop=True)
    assert len(list(tmp_path.glob('runs/smoke/*/last.pt'))) == 1
    same(launch(tmp_path, then), alone)

def test_shares_that_do_not_divide(tmp_path):
    said = launch(tmp_path, 2, batch_size=9)
    assert 'ValueError: batch_size is 9: 2 processes share it, so give a multiple of 2' in said

def test_processes_with_caches_of_their_own(tmp_path):
    said = launch(tmp_path, 2, apart=True)
    assert 'of another machine' in said and 'has no record: the processes of a run need one folder' in said
    (tmp_path/'begun').mkdir()
    assert 'InterruptedError: in the second epoch' in launch(tmp_path/'begun', 1, stop=True)
    said = launch(tmp_path/'begun', 2, apart=True)
    assert 'last.pt is not there for all processes of this run' in said

BUSY = '''
import sys, time
from pathlib import Path
from apt_nb.pool import Busy
from apt_nb.run import run_lock
from apt_nb.training import make_accelerator
first = make_accelerator().is_main_process
try:
    with run_lock(Path(sys.argv[1]), wait=False): print('held by both')
except Busy as e: print(f'{first}: {e}')
'''

def test_a_busy_run_is_busy_for_all_processes(tmp_path):
    (tmp_path/'a run').mkdir()
    with FileLock(tmp_path/'a run/lock'): said = call(tmp_path, BUSY, 2, str(tmp_path/'a run')).stdout
    for first in (True, False): assert f'{first}: run a run is being trained by another process' in said
    assert call(tmp_path, BUSY, 2, str(tmp_path/'a run')).stdout.count('held by both') == 2

FULL = '''
import torch
from torch.utils.data import DataLoader
from transformers import Dinov2Config, Dinov2ForImageClassification
from apt_nb.protocol import Recipe
from apt_nb.training import train
from apt_nb.transformers_models import VideoClassifier
from apt_nb.tuning import tune
sizes = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=8)
model = VideoClassifier(Dinov2ForImageClassification(Dinov2Config(**sizes, num_labels=3)), 3)
clip = lambda i: torch.randint(0, 255, (1, 3, 2, 16, 16), dtype=torch.uint8)
videos = [dict(clip=clip(i), label=i % 3, index=i) for i in range(8)]
done = train(tune(model, 'full'), DataLoader(videos, 4), None, Recipe(epochs=2, batch_size=4, warmup_epochs=0, precision='fp32'))
print('steps', len(done['steps']['loss']))
'''

def test_full_tuning_of_a_model_of_transformers(tmp_path):
    "DINOv2 has a token for masks, which gets no gradient."
    pytest.importorskip('transformers')
    done = call(tmp_path, FULL, 2)
    assert done.stdout.count('steps 4') == 2, done.stderr[-3000:]
