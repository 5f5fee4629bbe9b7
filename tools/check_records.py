"""Repeat some runs of the shipped records, and note which code the records are of.

    python tools/check_records.py                 on a machine like that of the records
    python tools/check_records.py --against 99d2c38   on any other

Each repeated run must come out as its record says: curves, losses, and the prediction for every test video. Then
figures/demo/made_by.json gets the hashes of the code, and from now on the records stand for runs (see
apt_nb.sweep.shipped_records). Do this after you changed one of the modules, but not what a run computes. After
a change of what it computes, train all runs instead: apt_nb_reproduce --profile demo, with an empty cache.

Another machine rounds otherwise, so no run comes out as its record there. With --against, short runs are made with
this code and with that of a commit whose code the records are of. They have the settings of a run of each method,
but few videos and epochs. Everything in their records and in their tuned tensors must be the same to the bit.
"""
import argparse, json, os, random, subprocess, sys, tempfile
from pathlib import Path

from apt_nb.core import n_cores, repo_root, write_text
from apt_nb.pool import call_all
from apt_nb.config import Config
from apt_nb.run import config_hash, environment, run
from apt_nb.sweep import code_hashes, machine_text, record_digest, saved_records

SAME = 'curves', 'steps', 'val', 'test', 'n_tuned', 'n_total', 'classes', 'videos'

def repeat(record, progress=False):
    "Train the run of a record anew; the names of what comes out otherwise."
    cfg = Config(**record['config'])
    if config_hash(cfg) != record['hash']: return ['hash']
    again = run(cfg, progress)
    again['test'] = {k: again['test'][k] for k in record['test']}
    again['curves'] = [{k: new[k] for k in old} for new, old in zip(again['curves'], record['curves'])]
    return [k for k in SAME if k in record and again[k] != record[k]]

def here_text(records):
    "What `machine_text` says of a run on this machine."
    return machine_text(dict(environment=environment(Config(**next(iter(records.values()))['config']))))

def chosen(records, seed, each):
    "The names of some runs of each method, of this machine if there are any."
    names, here = random.Random(seed).sample(sorted(records), len(records)), here_text(records)
    names.sort(key=lambda n: machine_text(records[n]) != here)
    methods = {records[n]['config']['method'] for n in names}
    return [n for m in sorted(methods) for n in [n for n in names if records[n]['config']['method'] == m][:each]]

def other_machines(records, names):
    "What the records say of the machine that they are of, and this one, if it is another one."
    here = here_text(records)
    theirs = {machine_text(records[n]) for n in names} - {here}
    return f'The records are of {"; ".join(sorted(theirs))}, and this is {here}' if theirs else ''

def write(file, before, records):
    "Note that the records are of this code."
    digests = {name: record_digest(r) for name, r in sorted(records.items())}
    write_text(file, json.dumps(before | dict(code=code_hashes(), records=digests), indent=1) + '\n')
    print(f'wrote {file.relative_to(repo_root())}')

SHORT = dict(n_train=4, n_val=2, n_test=2, epochs=2, warmup_epochs=.5)
PROGRAM = """
import hashlib, json, sys
from apt_nb.config import Config
from apt_nb.run import named_folder, run
from apt_nb.sweep import code_hashes, record_digest
found = dict(code=code_hashes(), runs=[])
for config in json.load(sys.stdin):
    record = run(Config(**config), progress=False)
    tuned = (named_folder(config['profile'], record['hash'])/'tuned.safetensors').read_bytes()
    found['runs'].append([record_digest(record), hashlib.sha256(tuned).hexdigest()])
    print(config['method'], file=sys.stderr, flush=True)
json.dump(found, sys.stdout)
"""

def short_runs(code, configs, cache):
    "What the code in a folder makes of short runs: its hashes, and those of each record and of its tensors."
    env = dict(os.environ, PYTHONPATH=str(code), APT_NB_CACHE=str(cache), OMP_NUM_THREADS='1')
    done = subprocess.run([sys.executable, '-c', PROGRAM], cwd=code, env=env, input=json.dumps(configs), text=True,
                          stdout=subprocess.PIPE)
    if done.returncode: sys.exit(f'the runs with the code in {code} failed')
    return json.loads(done.stdout)

def compared(commit, records, names, made_by):
    "The methods whose short runs come out otherwise with the code of a commit, which must be that of the records."
    root, configs = repo_root(), [records[n]['config'] | SHORT for n in names]
    with tempfile.TemporaryDirectory() as tmp:
        before = Path(tmp)/'before'
        subprocess.run(['git', '-C', root, 'worktree', 'add', '-q', '--detach', before, commit], check=True)
        try: old = short_runs(before, configs, f'{tmp}/old')
        finally: subprocess.run(['git', '-C', root, 'worktree', 'remove', '--force', before], check=True)
        if old['code'] != made_by.get('code'): sys.exit(f'the records are not of the code of {commit}')
        new = short_runs(root, configs, f'{tmp}/new')
    return [c['method'] for c, a, b in zip(configs, old['runs'], new['runs']) if a != b]

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--profile', default='demo')
    parser.add_argument('--each', type=int, default=1, help='runs of each method to repeat')
    parser.add_argument('--seed', type=int, default=0, help='decides which')
    parser.add_argument('--anyway', action='store_true', help='also on another machine than that of the records')
    parser.add_argument('--against', metavar='COMMIT', help='compare short runs with its code instead')
    args = parser.parse_args()
    if args.each < 1: parser.error('--each: at least one run of each method')
    folder = repo_root()/'figures'/args.profile
    records, wrong = saved_records(folder), []
    if not records: sys.exit(f'{folder.relative_to(repo_root())} has no records')
    names, file = chosen(records, args.seed, args.each), folder/'made_by.json'
    before = json.loads(file.read_text()) if file.exists() else dict(diverged={})
    other = other_machines(records, names)
    if args.against:
        wrong = compared(args.against, records, names, before)
        if wrong: sys.exit(f'short runs come out otherwise: {", ".join(wrong)}')
        return write(file, before, records)
    if other and not args.anyway:
        sys.exit(f'{other}: no run would come out the same. Compare short runs with --against.')
    with tempfile.TemporaryDirectory() as cache:
        os.environ['APT_NB_CACHE'] = cache
        calls = {n: dict(record=records[n]) for n in names}
        def told(name, share, ended=False):
            config = records[name]['config']
            if ended: print(f'{name} ({config["method"]}, {config["data"]}): ended', flush=True)
        for name, differs in call_all(repeat, calls, n_cores(), told).items():
            if isinstance(differs, Exception): raise differs
            print(f'{name}: {", ".join(differs) or "the same"}', flush=True)
            wrong += [name] * bool(differs)
    cause = f'of this code, or of this machine. {other}' if other else 'of this code'
    if wrong: sys.exit(f'{len(wrong)} runs come out otherwise: the records are not {cause}.')
    write(file, before, records)

if __name__ == '__main__': main()
