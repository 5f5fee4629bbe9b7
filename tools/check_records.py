"""Repeat some runs of the shipped records, and note which code the records are of.

    python tools/check_records.py --repeat 4

Each repeated run must come out as its record says: curves, losses, and the prediction for every test video. Then
figures/demo/made_by.json gets the hashes of the code, and from now on the records stand for runs (see
apt_nb.sweep.shipped_records). Do this after you changed one of the modules, but not what a run computes. After
a change of what it computes, train all runs instead: apt_nb_reproduce --profile demo, with an empty cache.
"""
import argparse, json, random, sys, tempfile, os

from apt_nb.core import atomic, repo_root
from apt_nb.config import Config
from apt_nb.run import config_hash, run
from apt_nb.sweep import as_run, code_hashes

SAME = 'curves', 'steps', 'val', 'test', 'n_tuned', 'n_total', 'classes', 'videos'

def all_records(folder):
    "The records of a profile, each run once."
    files = [json.loads(f.read_text()) for f in sorted((folder/'records').glob('*.json'))]
    return {r['hash']: as_run(r) for rows in files if isinstance(rows, list) for r in rows if 'curves' in r}

def repeat(record):
    "Train the run of a record anew; the names of what comes out otherwise."
    cfg = Config(**record['config'])
    if config_hash(cfg) != record['hash']: return ['hash']
    again = run(cfg)
    return [k for k in SAME if again[k] != record[k]]

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--profile', default='demo')
    parser.add_argument('--repeat', type=int, default=4, help='runs to repeat, no two of one method if possible')
    parser.add_argument('--seed', type=int, default=0, help='decides which')
    args = parser.parse_args()
    folder = repo_root()/'figures'/args.profile
    records = all_records(folder)
    names = random.Random(args.seed).sample(sorted(records), len(records))
    by_method = {records[n]['config']['method']: n for n in reversed(names)}
    chosen = list(dict.fromkeys([*by_method.values(), *names]))[:args.repeat]
    wrong = {}
    with tempfile.TemporaryDirectory() as cache:
        os.environ['APT_NB_CACHE'] = cache
        for name in chosen:
            differs, config = repeat(records[name]), records[name]['config']
            print(f'{name} ({config["method"]}, {config["data"]}): {", ".join(differs) or "the same"}', flush=True)
            if differs: wrong[name] = differs
    if wrong: sys.exit(f'{len(wrong)} of {len(chosen)} runs come out otherwise: the records are not of this code')
    file = folder/'made_by.json'
    before = json.loads(file.read_text()) if file.exists() else dict(diverged={})
    text = json.dumps(before | dict(code=code_hashes()), indent=1) + '\n'
    atomic(file, lambda f: f.write_text(text))
    print(f'wrote {file.relative_to(repo_root())}')

if __name__ == '__main__': main()
