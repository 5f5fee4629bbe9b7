"The notebooks run. These tests come first, the longest at the top, so that both workers end together."
import shutil, sys

from common import LIBRARY, ROOT, each, sh

PAPER = sorted((ROOT/'nbs/params').glob('*.paper.yaml'))

def test_smoke():
    "The experiments run through papermill at smoke size."
    sh('apt_nb_reproduce', '--profile', 'smoke', '--force')

@each(PAPER, 'file')
def test_paper(file, tmp_path):
    "A parameter file of the paper profile works: two steps on tiny videos, in a copy of the clone."
    ignored = shutil.ignore_patterns('_runs', '.*', '__pycache__')
    for f in ('nbs', 'apt_nb', 'tools'): shutil.copytree(ROOT/f, tmp_path/f, ignore=ignored)
    shutil.copy(ROOT/'settings.ini', tmp_path)
    sh('env', f'PYTHONPATH={tmp_path}', sys.executable, 'tools/rehearse.py', file.name, cwd=tmp_path)

@each(LIBRARY + [ROOT/'nbs/index.ipynb'])
def test_notebook(nb):
    "A notebook of the library runs, and its assertions hold."
    sh('nbdev_test', '--path', nb, '--n_workers', 0)
