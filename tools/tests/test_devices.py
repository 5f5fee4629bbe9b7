"One run on several processes: the losses and answers of one process, from any checkpoint."
import json, os, subprocess, sys

import numpy as np, pytest

SMALL = dict(n_train=2, n_val=2, n_test=3, epochs=2, warmup_epochs=.5, batch_size=12, precision='fp32')
PROGRAM = '''
import json, sys
from apt_nb import run as room
from apt_nb.config import preset
from apt_nb.training import make_accelerator
settings, stop = json.loads(sys.argv[1])
after = iter(['the first epoch'])
def stopping(model):
    if next(after, None) is None: raise InterruptedError('in the second epoch')
    return {}
if stop: room.active_scales = stopping
try: record = room.run(preset('smoke', **settings), progress=False)
except (InterruptedError, ValueError) as e: sys.exit(f'{type(e).__name__}: {e}')
if make_accelerator().is_main_process: print('RECORD', json.dumps(record))
'''

def launch(folder, processes, stop=False, **settings):
    "A run in `folder`, on a number of processes: its record, or what it printed. `stop`: it dies in epoch 2."
    script = folder/'program.py'
    script.write_text(PROGRAM)
    how = ['-m', 'torch.distributed.run', '--standalone', f'--nproc-per-node={processes}'] * (processes > 1)
    env = dict(os.environ, APT_NB_CACHE=str(folder), ACCELERATE_USE_CPU='1', OMP_NUM_THREADS='1')
    done = subprocess.run([sys.executable, *how, str(script), json.dumps([SMALL | settings, stop])], env=env,
                          capture_output=True, text=True, timeout=600)
    lines = [line for line in done.stdout.splitlines() if line.startswith('RECORD ')]
    return json.loads(lines[0][7:]) if lines else done.stdout + done.stderr

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
