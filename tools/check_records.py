"""Repeat some runs of the shipped records, and note which code the records are of.

    python tools/check_records.py

Each repeated run must come out as its record says: curves, losses, and the prediction for every test video. Then
figures/demo/made_by.json gets the hashes of the code, and from now on the records stand for runs (see
apt_nb.sweep.shipped_records). Do this after you changed one of the modules, but not what a run computes. After
a change of what it computes, train all runs instead: apt_nb_reproduce --profile demo, with an empty cache.
"""
import argparse, json, os, random, sys, tempfile

from apt_nb.core import atomic, n_cores, repo_root
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

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--profile', default='demo')
    parser.add_argument('--each', type=int, default=1, help='runs of each method to repeat')
    parser.add_argument('--seed', type=int, default=0, help='decides which')
    parser.add_argument('--anyway', action='store_true', help='also on another machine than that of the records')
    args = parser.parse_args()
    if args.each < 1: parser.error('--each: at least one run of each method')
    folder = repo_root()/'figures'/args.profile
    records, wrong = saved_records(folder), []
    if not records: sys.exit(f'{folder.relative_to(repo_root())} has no records')
    names = chosen(records, args.seed, args.each)
    other = other_machines(records, names)
    if other and not args.anyway:
        sys.exit(f'{other}: no run would come out the same. Leave this to a maintainer, or add --anyway.')
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
    file = folder/'made_by.json'
    before = json.loads(file.read_text()) if file.exists() else dict(diverged={})
    digests = {name: record_digest(r) for name, r in sorted(records.items())}
    text = json.dumps(before | dict(code=code_hashes(), records=digests), indent=1) + '\n'
    atomic(file, lambda f: f.write_text(text))
    print(f'wrote {file.relative_to(repo_root())}')

if __name__ == '__main__': main()
