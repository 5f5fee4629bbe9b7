"The package, README.md and the gallery are what the notebooks make, and imports stay light."
import ast, configparser, re, shutil, sys
from importlib.metadata import packages_distributions

import pytest
from common import ROOT, none, sh

DEVELOPMENT = '''nbdev execnb ghapi fastgit IPython ipykernel jupyterlab jupyter_client nbclient nbconvert
nbformat papermill pytest transformers sklearn'''.split()
HEAVY = dict(attention_prompt='decord av matplotlib seaborn pandas'.split() + DEVELOPMENT,
             report='decord torch accelerate'.split())

@pytest.fixture
def copy(tmp_path):
    "A folder with the notebooks and an empty package."
    shutil.copytree(ROOT/'nbs', tmp_path/'nbs', ignore=shutil.ignore_patterns('_*', '.*'))
    shutil.copy(ROOT/'settings.ini', tmp_path)
    (tmp_path/'apt_nb').mkdir()
    return tmp_path

def texts(folder, suffix):
    "{path: text} of the files with `suffix`, without the notebooks that nbdev ignores."
    files = {p.relative_to(folder): p for p in folder.rglob(f'*{suffix}')}
    ignored = lambda path: suffix != '.py' and any(part.startswith(('.', '_')) for part in path.parts)
    return {str(k): p.read_text(encoding='utf-8') for k, p in files.items() if not ignored(k)}

def different(a, b): return sorted(k for k in a.keys() | b.keys() if a.get(k) != b.get(k))

def test_export(copy):
    "apt_nb/ is exactly what the notebooks export."
    sh('nbdev_export', cwd=copy)
    none(different(texts(ROOT/'apt_nb', '.py'), texts(copy/'apt_nb', '.py')),
         'Run nbdev_export, and remove modules that have no notebook')

def test_clean(copy):
    "The notebooks are as nbdev_clean leaves them."
    sh('nbdev_clean', cwd=copy)
    none(different(texts(ROOT/'nbs', '.ipynb'), texts(copy/'nbs', '.ipynb')), 'Run nbdev_clean')

def test_readme():
    "README.md is made from nbs/index.ipynb."
    sh(sys.executable, 'tools/readme.py', '--check')

def test_readme_code(tmp_path):
    "The README's Python runs in an empty folder."
    readme = (ROOT/'README.md').read_text(encoding='utf-8')
    code = '\n'.join(re.findall(r'(?ms)^```python\n(.*?)^```', readme))
    assert code, 'README.md has no Python'
    sh(sys.executable, '-c', code, cwd=tmp_path)

def test_gallery():
    "figures/README.md shows what is in figures/demo/."
    from apt_nb.gallery import gallery
    if gallery('demo') != (ROOT/'figures/README.md').read_text(encoding='utf-8'): pytest.fail('Call apt_nb.gallery.save_gallery().', pytrace=False)

def test_import():
    "Every module can be imported without the development packages."
    sh(sys.executable, '-c', f'''import sys, importlib, pkgutil
sys.modules.update(dict.fromkeys({DEVELOPMENT}))
import apt_nb
for m in pkgutil.walk_packages(apt_nb.__path__, "apt_nb."): importlib.import_module(m.name)''')

def named():
    "{package: lower bound or ''} of the requirements in settings.ini, but for those of development."
    ini = configparser.ConfigParser(delimiters=['='], interpolation=None)
    ini.read(ROOT/'settings.ini', encoding='utf-8')
    found = [re.match(r'([\w-]+)(?:>=([\d.]+))?', r) for kind in ('requirements', 'cluster_requirements', 'transformers_requirements') for r in ini['DEFAULT'][kind].split()]
    return {m[1].replace('_', '-').lower(): m[2] or '' for m in found}

def imported(file):
    "Packages of others that a module imports when it is imported itself."
    for node in ast.parse(file.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.Import): yield from (a.name.split('.')[0] for a in node.names)
        if isinstance(node, ast.ImportFrom) and not node.level: yield node.module.split('.')[0]

def test_requirements():
    "settings.ini names what the package imports. tools/oldest.txt pins each lower bound."
    packages = {m for f in (ROOT/'apt_nb').rglob('*.py') for m in imported(f)}
    known = {'apt_nb', 'cycler'} # the latter comes with matplotlib
    of_package = packages_distributions()
    names = {of_package.get(p, [p])[0] for p in packages - sys.stdlib_module_names - known}
    lacks = {name.replace('_', '-').lower() for name in names} - named().keys()
    none(sorted(lacks), 'Not among the requirements in settings.ini')
    pins = dict(line.replace('_', '-').split('==') for line in (ROOT/'tools/oldest.txt').read_text().split())
    def is_pinned(n, v): # 1.26 by 1.26.4, and 15 by 15.0.0
        bound, pin = v.split('.'), pins.get(n, '').split('.')
        rest = pin[len(bound):]
        return pin[:len(bound)] == bound and (not any(map(int, rest)) or len(bound) > 1 == len(rest))
    none([f'{n}>={v}' for n, v in named().items() if v and not is_pinned(n, v)], 'tools/oldest.txt')

def test_broken_decord(tmp_path):
    "Without a decord that loads, videos are read by PyAV alone."
    (tmp_path/'decord.py').write_text('raise OSError("libavcodec.so: cannot open shared object file")')
    code = f'import sys; sys.path.insert(0, {str(tmp_path)!r}); import apt_nb.video as v; print(v.decord)'
    assert sh(sys.executable, '-c', code).strip() == 'None'

@pytest.mark.parametrize('module', HEAVY)
def test_light(module):
    "A module that should import quickly loads none of its HEAVY packages."
    code = f'import sys, apt_nb.{module}; print(*{set(HEAVY[module])} & set(sys.modules))'
    none(sh(sys.executable, '-c', code).split(), f'import apt_nb.{module} loads')

PACKAGE = 'settings.ini setup.py README.md LICENSE MANIFEST.in CONTRIBUTING.md CITATION.cff'.split()

def test_distribution(tmp_path):
    "The wheel and the source archive are built from what they should hold, and would be accepted by an index."
    here = tmp_path/'project'
    shutil.copytree(ROOT/'apt_nb', here/'apt_nb', ignore=shutil.ignore_patterns('__pycache__'))
    for name in PACKAGE: shutil.copy(ROOT/name, here)
    sh(sys.executable, '-m', 'build', '--no-isolation', '--outdir', tmp_path/'dist', here)
    made = sorted(str(f) for f in (tmp_path/'dist').iterdir())
    sh(sys.executable, '-m', 'twine', 'check', '--strict', *made)
    target = tmp_path/'site'
    wheel = next(f for f in made if f.endswith('.whl'))
    sh(sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--target', target, wheel)
    for folder in ('pretrained', 'reference'):
        ours, theirs = ({f.name for f in (root/'apt_nb'/folder).iterdir()} for root in (ROOT, target))
        none(sorted(ours ^ theirs), f'Only here or only in the wheel, in {folder}')
    ours, theirs = ({str(f.relative_to(root)) for f in (root/'apt_nb').rglob('*.py')} for root in (ROOT, target))
    none(sorted(ours ^ theirs), 'Modules only here or only in the wheel')
    code = f'''import sys; sys.path.insert(0, {str(target)!r})
from apt_nb.weights import PRETRAINED_DIR, video_vit
print(PRETRAINED_DIR, video_vit('vit_tiny', 12, weights='moving_shapes').loaded is not None)'''
    said = sh(sys.executable, '-c', code, cwd=tmp_path)
    assert str(target) in said and 'True' in said, said

def test_citation():
    "CITATION.cff and the README's badges say what settings.ini says."
    import yaml
    from configparser import ConfigParser
    ini = ConfigParser(interpolation=None)
    ini.read(ROOT/'settings.ini', encoding='utf-8')
    cite = yaml.safe_load((ROOT/'CITATION.cff').read_text(encoding='utf-8'))
    assert cite['version'] == ini['DEFAULT']['version']
    readme = (ROOT/'README.md').read_text(encoding='utf-8')
    assert f"[![Python {', '.join(ini['DEFAULT']['py_versions'].split())}]" in readme
    assert '[![Licence Apache-2.0]' in readme
    assert cite['license'] == 'Apache-2.0' and 'Apache License' in (ROOT/'LICENSE').read_text(encoding='utf-8')
