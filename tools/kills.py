"""Kill runs at random and resume them: the records must equal those of runs that nobody killed, to the bit.

    python tools/kills.py 20           # kills of one small run
    python tools/kills.py 8 --batch    # kills of apt_nb_reproduce, in its sweep and in its notebooks

Prints what each kill met. The exit code is the number of differences and leftovers.
"""
import json, os, random, signal, subprocess, sys, tempfile, time
from pathlib import Path

import psutil

RUN = """
from apt_nb.config import preset
from apt_nb.run import run
run(preset('smoke', epochs=6, batch_size=8), progress=False)
"""

def start(
    batch,  # the whole batch, or one run
    cache,  # folder
):
    "Start a process group that trains."
    reproduce = Path(sys.executable).parent/'apt_nb_reproduce'
    command = [reproduce, '--only', '03', '--jobs', '2', '--force'] if batch else [sys.executable, '-c', RUN]
    env = os.environ | dict(APT_NB_CACHE=str(cache), OMP_NUM_THREADS='1')
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return subprocess.Popen(command, env=env, start_new_session=True, **quiet)

def kill(
    process,
    whole,  # the group, as a batch system does; otherwise its first process only
):
    "Kill, and wait until the children have noticed. How many have not."
    children = psutil.Process(process.pid).children(recursive=True)
    if whole: os.killpg(process.pid, signal.SIGKILL)
    else: process.kill()
    process.wait()
    return len(psutil.wait_procs(children, timeout=60)[1])

def records(cache):
    "What the runs computed, by name."
    found = [json.loads(f.read_text()) for f in Path(cache).glob('runs/*/*/record.json')]
    return {r['hash']: {k: v for k, v in r.items() if k != 'timing'} for r in found}

def left(cache):
    "Unfinished files of killed processes."
    hidden = [p for p in Path(cache).rglob('.*') if not p.name.endswith('.lock')]
    return sorted(str(p.relative_to(cache)) for p in [*hidden, *Path(cache).rglob('*.part')])

def finish(batch, cache):
    "Let it end. Seconds that it took."
    begun, process = time.time(), start(batch, cache)
    errors = process.communicate()[1].decode(errors='replace')
    if process.returncode: sys.exit(f'failed:\n{errors[-3000:]}')
    return time.time() - begun

def main(n, batch):
    with tempfile.TemporaryDirectory() as tmp:
        expected_cache, wrong = Path(tmp)/'expected', 0
        seconds = finish(batch, expected_cache)
        expected, rng = records(expected_cache), random.Random(0)
        killed, round_ = 0, 0
        while killed < n:
            cache, round_ = Path(tmp)/str(round_), round_ + 1
            while killed < n: # several kills of one run
                process, after = start(batch, cache), rng.uniform(.2, 1) * seconds
                try: process.wait(after)
                except subprocess.TimeoutExpired:
                    orphans, killed = kill(process, rng.random() < .5), killed + 1
                    wrong += orphans
                    met = f'{len(records(cache))} records, {orphans} orphans, unfinished: {left(cache)}'
                    print(f'kill {killed} after {after:.1f} s: {met}', flush=True)
                if process.returncode == 0 or rng.random() < .25: break
            finish(batch, cache)
            same, stale = records(cache) == expected, left(cache)
            wrong += (not same) + len(stale)
            print(f'resumed: {"equal" if same else "DIFFERENT"}, unfinished: {stale or "none"}', flush=True)
        print(f'{killed} kills, {wrong} differences, orphans and leftovers')
        return wrong

if __name__ == '__main__':
    number = next((int(a) for a in sys.argv[1:] if a.isdecimal()), 20)
    sys.exit(min(main(number, '--batch' in sys.argv), 99))
