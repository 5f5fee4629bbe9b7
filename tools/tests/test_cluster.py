"Runs as jobs: of this machine, and of a Slurm that a test starts and stops."
import json, os, pickle, shutil, signal, subprocess, sys, time
from dataclasses import replace
from pathlib import Path

import psutil, pytest
from common import ROOT, none, sh
from test_package import DEVELOPMENT

from apt_nb.cluster import Cluster, Queue, last_epoch, read_ticket, slurm_jobs
from apt_nb.config import preset
from apt_nb.reproduce import Plan, advance, train_on_cluster
from apt_nb.run import read_record, run_folder
from apt_nb.sweep import Experiment, Stage, sweep, temporary_cache

SCRIPT, PATH = ROOT/'tools/slurm_test_cluster.sh', f'{os.environ["PATH"]}:/usr/sbin:/sbin'
DAEMONS = 'munged', 'slurmctld', 'slurmd'

def no_slurm():
    "Why a test cannot start Slurm here, or None."
    if not sys.platform.startswith('linux') or os.geteuid(): return 'a Slurm of its own needs Linux and root'
    missing = [d for d in (*DAEMONS, 'srun', 'sbatch') if not shutil.which(d, path=PATH)]
    if missing: return f'{", ".join(missing)}: not found (Debian: apt-get install slurm-wlm munge)'

NEEDS_SLURM = pytest.mark.skipif(bool(no_slurm()), reason=str(no_slurm()))

@pytest.fixture
def cache(tmp_path, monkeypatch):
    "A cache of one's own."
    monkeypatch.setenv('APT_NB_CACHE', str(tmp_path/'cache'))
    return tmp_path/'cache'

@pytest.fixture
def slurm(tmp_path, monkeypatch):
    "A controller and two nodes of one core. Afterwards nothing of it is left."
    folder = tmp_path/'slurm'
    monkeypatch.setenv('PATH', PATH)
    sh(SCRIPT, 'start', folder)
    monkeypatch.setenv('SLURM_CONF', str(folder/'slurm.conf'))
    daemons = [int(f.read_text()) for f in folder.glob('*.pid')]
    assert len(daemons) == 4
    yield
    sh(SCRIPT, 'stop', folder)
    assert not folder.exists()
    assert not [p for p in daemons if psutil.pid_exists(p) and psutil.Process(p).status() != 'zombie']

def small(n, **settings):
    "Settings of `n` runs that differ by their seed."
    cfg = preset('smoke', batch_size=8, **settings)
    return [replace(cfg, seed=s) for s in range(n)]

def by_folder(cfgs): return {run_folder(c): c for c in cfgs}

def started(cluster, runs):
    queue = Queue(cluster)
    queue.add(runs)
    return queue

def finish(queue, meanwhile=lambda: None):
    "Follow a queue to its end, within some minutes, and return what failed."
    failed, end = {}, time.time() + 600
    while queue.open and time.time() < end:
        failed |= queue.look()[1]
        meanwhile()
        time.sleep(.3)
    assert not queue.open, [*queue.open]
    return failed

def untimed(records):
    "Records without time. The clone's commit goes too: it may change while a test runs."
    place = lambda r: {k: v for k, v in r['environment'].items() if k not in ('commit', 'dirty')}
    return [{k: v for k, v in r.items() if k != 'timing'} | dict(environment=place(r)) for r in records]

def require_equal(runs, cfgs):
    "The records of these runs are what the pool of this machine makes of the settings."
    with temporary_cache(): pool = sweep(cfgs, jobs=2, progress=False)
    pairs = zip(untimed(map(read_record, runs)), untimed(pool))
    wrong = [f'{a["hash"]}: {k} is {a[k]}, not {b[k]}' for a, b in pairs for k in b if a.get(k) != b[k]]
    none(wrong, 'Records of jobs and of the pool')

def submitted(cache): return sorted(cache.glob('jobs/*_*/*submitted.pkl'))

# this machine

@pytest.fixture
def without(tmp_path, monkeypatch):
    "A function that hides packages from the processes that start afterwards."
    def hide(packages):
        (tmp_path/'sitecustomize.py').write_text(f'import sys\nsys.modules.update(dict.fromkeys({packages}))')
        monkeypatch.setenv('PYTHONPATH', str(tmp_path))
        hidden = subprocess.run([sys.executable, '-c', f'import {packages[0]}'], capture_output=True, text=True)
        assert f'import of {packages[0]} halted' in hidden.stderr
    return hide

def test_local(cache, without):
    "Jobs of this machine make the records of the pool. They need none of the development packages."
    without(DEVELOPMENT)
    cfgs = small(3, epochs=2)
    assert not finish(started(Cluster('local', jobs=2), by_folder(cfgs)))
    require_equal(by_folder(cfgs), cfgs)
    assert len(submitted(cache)) == 3

def reproduce(*options):
    command = [Path(sys.executable).parent/'apt_nb_reproduce', '--only', '03', *options]
    # a shell's background job ignores SIGINT, and what it starts would, too
    listen = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            start_new_session=True, preexec_fn=listen)

def test_no_submitit(cache, without):
    "Without submitit, --cluster says what to install."
    without(['submitit'])
    call = reproduce('--cluster', 'local')
    said = "apt_nb_reproduce: --cluster needs submitit: pip install -e '.[cluster]'\n"
    assert call.communicate(timeout=120)[0] == said
    assert call.returncode == 2

def test_interrupted(cache):
    "Ctrl-C in the terminal ends the following only. The same call ends with the notebook, and no run is submitted twice."
    options = '--cluster', 'local', '--jobs', '2'
    first, end = reproduce(*options), time.time() + 120
    while not (tickets := [*cache.glob('jobs/smoke/*.json')]) and time.time() < end: time.sleep(.2)
    while not [*cache.glob('runs/smoke/*/lock')] and time.time() < end: time.sleep(.2)
    jobs = {t.stem: int(json.loads(t.read_text())['job']) for t in tickets}
    os.killpg(first.pid, signal.SIGINT)
    said = first.communicate(timeout=60)[0]
    assert first.returncode == 130 and 'The jobs go on: the same call follows them, and pkill' in said, said
    ended = {name for name in jobs if (cache/f'runs/smoke/{name}/record.json').exists()}
    assert jobs and all(psutil.pid_exists(job) for name, job in jobs.items() if name not in ended)
    second = reproduce(*options)
    said = second.communicate(timeout=600)[0]
    assert second.returncode == 0 and '03_ablation_dropout  made' in said, said
    assert len(submitted(cache)) == len([*cache.glob('runs/smoke/*/record.json')]) == 3
    assert not [*cache.glob('jobs/smoke/*')]

def test_two_at_once(cache):
    "Two calls at the same moment submit a run once."
    code = ('import os, pickle, sys, time\nfrom apt_nb.cluster import Cluster, Queue\nfrom apt_nb.run import run_folder\n'
            'cfgs = pickle.load(open(sys.argv[1], "rb"))\nqueue = Queue(Cluster("local", jobs=2))\n'
            'while time.time() < float(sys.argv[2]): pass\nqueue.add({run_folder(c): c for c in cfgs})\n'
            'while queue.open:\n    assert not queue.look()[1]\n    time.sleep(.3)')
    cache.mkdir()
    (cache/'cfgs').write_bytes(pickle.dumps(small(2, epochs=1)))
    command = [sys.executable, '-c', code, cache/'cfgs', str(time.time() + 15)]
    calls = [subprocess.Popen(command) for _ in range(3)]
    assert [c.wait(300) for c in calls] == [0] * 3
    assert len(submitted(cache)) == 2

# Slurm

def scontrol(*words): subprocess.run(['scontrol', *words], check=True)

@NEEDS_SLURM
def test_slurm(cache, slurm):
    """A sweep goes through sbatch. One job is cancelled half-way, one is preempted, and a node is drained.
    The records are those of the pool, to the bit."""
    cfgs = small(4, epochs=40) # a cancelled job may go on for ten seconds
    runs, cluster, done = by_folder(cfgs), Cluster(gpus=0, hours=1), {}
    first, second, *_ = runs
    queue = started(cluster, runs)
    jobs = {f: t['job'] for f, t in queue.tickets.items()}
    assert set(slurm_jobs()) == set(jobs.values()) and len({j.split('_')[0] for j in jobs.values()}) == 1

    def meanwhile():
        if 'cancelled' not in done and last_epoch(first):
            done['cancelled'] = subprocess.run(['scancel', jobs[first]])
        if 'preempted' not in done and last_epoch(second):
            scontrol('update', 'nodename=n2', 'state=drain', 'reason=test')
            done['preempted'] = subprocess.Popen(['scancel', '--signal=USR2', jobs[second]])
        if 'preempted' in done and slurm_jobs().get(jobs[second]) == 'PD':
            # scancel repeats the signal while the job waits, and would kill it at its new start
            done['preempted'].kill()
            subprocess.run(['scontrol', 'update', f'jobid={jobs[second]}', 'StartTime=now']) # Slurm waits two minutes

    assert not finish(queue, meanwhile)
    assert len(done) == 2
    require_equal(runs, cfgs)
    logs = {f.name: f.read_text() for f in cache.glob('jobs/*_*/*_log.err')}
    logs |= {f.name: f.read_text() for f in cache.glob('jobs/*_*/*_log.out')}
    assert 'this job is preempted' in ''.join(logs.values())
    assert len(submitted(cache)) == 5 # the cancelled one twice, the preempted one is the same job

@NEEDS_SLURM
def test_slurm_two_stages(cache, slurm, capfd):
    "The runs that follow from a search are submitted when it is there, while another experiment still trains."
    rates, long = [replace(small(1, epochs=1)[0], lr=lr) for lr in (.1, .4)], small(1, epochs=40)
    def search():
        records = yield Stage(rates, rates[:1])
        best = max(records, key=lambda r: r['val']['top1'])['config']['lr']
        yield [replace(rates[0], lr=best, seed=s) for s in (0, 1)]
    def other(): yield long
    plan = Plan(dict(other=Experiment(other()), search=Experiment(search())))
    advance(plan)
    assert len(plan.runs) == 3
    train_on_cluster(plan, Cluster(gpus=0))
    assert len(plan.runs) == 4 and not plan.todo() and not plan.failed and not plan.errors
    last = max(f.stat().st_mtime for f in submitted(cache))
    assert last < (run_folder(long[0])/'record.json').stat().st_mtime
    assert '4 of 4 runs' in capfd.readouterr().err

@NEEDS_SLURM
def test_slurm_finds_again(cache, slurm):
    "A second call takes over the jobs of the first, those that wait too. A job that Slurm refuses is one sentence."
    with pytest.raises(ValueError, match=r'sbatch takes no jobs \(.*[Pp]artition.*\): change partition'):
        started(Cluster(gpus=0, partition='none'), by_folder(small(1, epochs=1)))
    cfgs = small(3, epochs=2)
    queue = started(Cluster(gpus=0), by_folder(cfgs))
    again = started(Cluster(gpus=0), by_folder(cfgs))
    assert again.tickets == queue.tickets and len(submitted(cache)) == 3
    assert not finish(again)
    assert all(read_ticket(f) is None for f in by_folder(cfgs))
