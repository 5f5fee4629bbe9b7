"The notebooks run. These tests come first, the longest at the top, so that both workers end together."
import filecmp, json, multiprocessing, os, shutil, subprocess, sys

import nbformat, pytest
from apt_nb.sweep import code_hashes
from common import EXPERIMENTS, LIBRARY, ROOT, each, nbdev_test_here, none, sh

PAPER = [f for f in sorted((ROOT/'nbs/params').glob('*.paper.yaml')) if 'settings:' in f.read_text(encoding='utf-8')]
SLOW = ['slow', 'real'] * bool(os.environ.get('APT_NB_SLOW')) # cells that are left out otherwise
PROCESSES = multiprocessing.get_context('forkserver' if sys.platform == 'linux' else 'spawn')
# a forkserver imports these once, and each process of a notebook begins with them
PROCESSES.set_forkserver_preload(['nbdev.test', 'torch', 'torchvision', 'timm', 'pandas', 'seaborn'])

def test_smoke():
    "The experiments run through papermill at smoke size."
    sh('apt_nb_reproduce', '--profile', 'smoke', '--force')

def copy_clone(to, *folders):
    "Copy what a clone needs, and more folders."
    ignored = shutil.ignore_patterns('_runs', '.*', '__pycache__')
    for f in ('nbs', 'apt_nb', 'tools', *folders): shutil.copytree(ROOT/f, to/f, ignore=ignored)
    shutil.copy(ROOT/'settings.ini', to)

def said(nb):
    "What the code cells of a notebook show as text."
    def texts(o):
        if o.output_type == 'stream': return o.text if o.name == 'stdout' else ''
        data = o.get('data', {})
        return data.get('text/markdown', '' if 'image/png' in data else data.get('text/plain', ''))
    cells = [c for c in nbformat.read(nb, as_version=4).cells if c.cell_type == 'code']
    return [''.join(filter(None, map(texts, c.outputs))).strip() for c in cells]

def same_rows(a, b):
    "Whether two files of rows say the same, up to rounding errors of another library's version."
    rows = json.loads(a.read_text()), json.loads(b.read_text())
    flat = lambda r: {k: tuple(v) if isinstance(v, list) else v for k, v in r.items()}
    return len(rows[0]) == len(rows[1]) and all(flat(x) == pytest.approx(flat(y)) for x, y in zip(*rows))

@each(EXPERIMENTS)
def test_demo(nb, tmp_path):
    "An experiment shows the demo result without training: the files and the outputs that are committed."
    own = subprocess.run(['git', '-C', ROOT, 'diff', '--quiet', 'HEAD', '--', 'figures/demo/records']).returncode == 1
    if own: pytest.skip('figures/demo/records are of your own training: git restore figures')
    made_by = json.loads((ROOT/'figures/demo/made_by.json').read_text(encoding='utf-8'))
    changed = [m for m, code in code_hashes().items() if made_by['code'].get(m) != code]
    assert not changed, f'{changed} changed, so the runs would be trained: see tools/check_records.py'
    copy_clone(tmp_path, 'figures')
    old = [f for f in (tmp_path/'figures/demo').glob('*.*') if f.name != 'made_by.json']
    for f in old: f.unlink()
    cache, out = tmp_path/'cache', tmp_path/'out.ipynb'
    sh('env', f'PYTHONPATH={tmp_path}', f'APT_NB_CACHE={cache}', 'papermill', tmp_path/'nbs'/nb.name, out,
       '--cwd', tmp_path/'nbs', '--no-progress-bar')
    assert not (cache/'runs').exists(), 'it trained: see tools/check_records.py'
    saved, now = said(nb), said(out)
    none([f'cell {i}:\n{a}\n--- now:\n{b}' for i, (a, b) in enumerate(zip(saved, now)) if a != b], 'other outputs')
    made = [ROOT/f.relative_to(tmp_path) for f in (tmp_path/'figures/demo').rglob('*.*')]
    assert {'.md', '.png'} <= {f.suffix for f in made if f.parent.name == 'demo'}, 'no table or no picture'
    none([str(f) for f in made if not f.exists()], 'files that are not committed')
    text = [f for f in made if f.suffix in ('.md', '.csv', '.json')]
    other = [f for f in text if not filecmp.cmp(f, copy := tmp_path/f.relative_to(ROOT), shallow=False)
             and not (f.suffix == '.json' and same_rows(f, copy))]
    none([str(f.relative_to(ROOT)) for f in other], 'other files')

def test_check_outputs(tmp_path):
    "The tool names the cells whose saved words are not what they say now. Numbers may differ."
    sys.path.append(str(ROOT/'tools'))
    from check_outputs import differences
    v4 = nbformat.v4
    cell = lambda code, text: v4.new_code_cell(code, outputs=[v4.new_output('stream', text=text)])
    cells = [cell('print("2.5 ms, one file")', '31 ms, one file'), cell('print("two files")', 'a file')]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path/'a.ipynb')
    (tmp_path/'out').mkdir()
    found = differences(tmp_path/'a.ipynb', tmp_path/'out')
    assert list(found.values()) == [['- a file', '+ two files']] and found.keys() == {cells[1].id}

@each(PAPER, 'file')
def test_paper(file, tmp_path):
    "A parameter file of the paper profile works: two steps on tiny videos, in a copy of the clone."
    copy_clone(tmp_path)
    sh('env', f'PYTHONPATH={tmp_path}', sys.executable, 'tools/rehearse.py', file.name, cwd=tmp_path)

@each(LIBRARY + [ROOT/'nbs/index.ipynb', ROOT/'nbs/faq.ipynb'])
def test_notebook(nb, tmp_path):
    "A notebook of the library runs, and its assertions hold."
    log = tmp_path/'log'
    log.touch()
    process = PROCESSES.Process(target=nbdev_test_here, args=(nb, SLOW, log))
    process.start()
    process.join(3600)
    said, code = log.read_text(errors='replace'), process.exitcode # None: it has not ended
    process.kill()
    if code != 0: pytest.fail(f'nbdev_test failed ({code}):\n{said[-6000:]}', pytrace=False)
