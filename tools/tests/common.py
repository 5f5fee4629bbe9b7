"What the tests share: the clone's notebooks, their code, and commands."
import multiprocessing, os, re, subprocess
from pathlib import Path

import nbformat, pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = sorted((ROOT/'nbs/api').glob('[0-9]*.ipynb'))
EXPERIMENTS = sorted((ROOT/'nbs').glob('[0-9]*.ipynb'))

class Outcomes(list):
    "Whether odd inputs of one test were taken: a test of what is refused shows nothing if everything is."
    def check(self): assert not self or sum(self) * 100 >= len(self), f'{sum(self)} of {len(self)} inputs were taken'

TAKEN = Outcomes()

@pytest.fixture
def some_taken():
    "Fails a test in which fewer than a hundredth of the inputs were taken, see `Outcomes`."
    TAKEN.clear()
    yield
    TAKEN.check()

def each(paths, name='nb'):
    "Parametrise a test by files; a file's stem is the id."
    return pytest.mark.parametrize(name, paths, ids=[p.stem for p in paths])

def sh(*command, cwd=ROOT):
    "What `command` printed. If it fails, the test fails and shows the end of that."
    command = [str(c) for c in command]
    r = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       errors='replace', timeout=3600)
    if r.returncode: pytest.fail(f'{command[0]} failed ({r.returncode}):\n{r.stdout[-6000:]}', pytrace=False)
    return r.stdout

def nbdev_test_here(nb, flags, log):
    "Run the command nbdev_test in this process. What it prints goes to the file `log`."
    from nbdev.test import nbdev_test
    multiprocessing.set_start_method(None, force=True) # what the notebook starts, starts as in a process of its own
    os.chdir(ROOT)
    with log.open('w') as out:
        for stream in 1, 2: os.dup2(out.fileno(), stream)
    nbdev_test(str(nb), ' '.join(flags), n_workers=0)

def none(problems, rule):
    "Fail if there are `problems`, and list them below the `rule`."
    if problems: pytest.fail('\n  '.join([f'{rule}:', *problems]), pytrace=False)

def code_cells(nb):
    "(index, source) of the code cells of a notebook."
    cells = nbformat.read(nb, as_version=4).cells
    return [(i, c.source) for i, c in enumerate(cells) if c.cell_type == 'code']

def exported(nb):
    "(index, source) of the cells that become part of the package."
    return [(i, s) for i, s in code_cells(nb) if re.match(r'#\|\s*export', s)]
