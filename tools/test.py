"""All tests of the project, run by ../test.sh; arguments choose those whose name holds one of them. The working tree stays as it is."""
import os, re, shutil, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

root = Path(__file__).resolve().parent.parent
cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
env = dict(os.environ, OMP_NUM_THREADS='1', PATH=f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}')
dev = 'nbdev execnb ghapi fastgit IPython ipykernel jupyterlab jupyter_client nbclient nbconvert nbformat papermill transformers sklearn'

def sh(*cmd, cwd=root):
    "What `cmd` printed; an error with the end of that where it failed."
    r = subprocess.run([str(c) for c in cmd], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, errors='replace', timeout=900)
    assert not r.returncode, r.stdout[-6000:]
    return r.stdout

def sources(folder, suffix):
    "{path: text} of the files with `suffix`, but for notebooks that nbdev does not see."
    files = {p.relative_to(folder): p for p in folder.rglob('*' + suffix)}
    seen = lambda rel: suffix == '.py' or not any(part.startswith(('.', '_')) for part in rel.parts)
    return {str(rel): p.read_text(encoding='utf-8') for rel, p in files.items() if seen(rel)}

def differ(a, b): return sorted(k for k in a.keys() | b.keys() if a.get(k) != b.get(k))

def copied(command, folder, suffix):
    "Files of `folder` that `command` changes, in a copy of the notebooks beside an empty package."
    with tempfile.TemporaryDirectory() as tmp:
        shutil.copytree(root/'nbs', f'{tmp}/nbs', ignore=shutil.ignore_patterns('_*', '.*'))
        shutil.copy(root/'settings.ini', tmp)
        os.mkdir(f'{tmp}/apt_nb')
        sh(command, cwd=tmp)
        return differ(sources(root/folder, suffix), sources(Path(tmp)/folder, suffix))

def test_export():
    "apt_nb/ holds what the notebooks export into an empty package, and no module more"
    changed = copied('nbdev_export', 'apt_nb', '.py')
    assert not changed, f'run nbdev_export, and remove modules whose notebook is gone: {", ".join(changed)}'

def test_clean():
    "notebooks are as nbdev_clean leaves them"
    changed = copied('nbdev_clean', 'nbs', '.ipynb')
    assert not changed, f'run nbdev_clean: {", ".join(changed)}'

def test_readme():
    "README.md is made from nbs/index.ipynb"
    sh(sys.executable, 'tools/readme.py', '--check')

def test_gallery():
    "figures/README.md shows what lies in figures/demo/"
    sh(sys.executable, '-c', """from apt_nb.gallery import gallery, page_of
from apt_nb.reproduce import repo_root
assert gallery('demo') == page_of('demo', repo_root()).read_text(encoding='utf-8'), 'call apt_nb.gallery.save_gallery()'""")

def test_readme_code():
    "the README's Python runs in an empty folder"
    code = '\n'.join(re.findall(r'(?ms)^```python\n(.*?)^```', (root/'README.md').read_text(encoding='utf-8')))
    assert code, 'README.md has no Python'
    with tempfile.TemporaryDirectory() as tmp: sh(sys.executable, '-c', code, cwd=tmp)

def test_import():
    "every module is imported without the development packages"
    sh(sys.executable, '-c', f'''import sys, importlib, pkgutil
sys.modules.update(dict.fromkeys("{dev}".split()))
import apt_nb
for m in pkgutil.iter_modules(apt_nb.__path__): importlib.import_module("apt_nb." + m.name)''')

def test_light():
    "apt_nb.attention_prompt loads neither video nor plotting nor development packages"
    heavy = sh(sys.executable, '-c', f'''import sys, apt_nb.attention_prompt
print(*sorted(set("decord av matplotlib seaborn pandas {dev}".split()) & set(sys.modules)))''')
    assert not heavy.strip(), f'it loads {heavy}'

def test_smoke():
    "the experiment notebooks, through papermill at smoke size"
    sh('apt_nb_reproduce', '--profile', 'smoke', '--force')

def test_paper():
    "the paper's parameter files, each for two optimizer steps on tiny videos"
    with tempfile.TemporaryDirectory() as tmp:
        for f in ('nbs', 'apt_nb', 'tools'): shutil.copytree(root/f, f'{tmp}/{f}', ignore=shutil.ignore_patterns('_runs', '.*', '__pycache__'))
        shutil.copy(root/'settings.ini', tmp)
        sh('env', f'PYTHONPATH={tmp}', sys.executable, 'tools/rehearse.py', cwd=tmp)

def run(name, test):
    "Run one test and print its line."
    start, error = time.time(), None
    try: test()
    except Exception as e: error = e
    print(f'{"FAILED" if error else "passed"}  {name}  ({time.time() - start:.0f} s)' + (f'\n{error}' if error else ''), flush=True)
    return error is None

def main(chosen):
    fixed = {k: f for k, f in globals().items() if k.startswith('test_')}
    notebooks = [p for p in sorted((root/'nbs/api').glob('*.ipynb')) + [root/'nbs/index.ipynb'] if not p.name.startswith(('.', '_'))]
    tests = {f'{k[5:]}: {f.__doc__}': f for k, f in fixed.items()} | {
        str(p.relative_to(root)): lambda p=p: sh('nbdev_test', '--path', p, '--n_workers', 0) for p in notebooks}
    tests = {k: f for k, f in tests.items() if not chosen or any(c in k for c in chosen)}
    if not tests: sys.exit(f'No test has {" or ".join(chosen)} in its name.')
    state = lambda: [subprocess.run(['git', *a.split()], cwd=root, capture_output=True).stdout for a in ('status --porcelain', 'diff')]
    before = state()
    with tempfile.TemporaryDirectory() as cache, ThreadPoolExecutor(min(2, cores)) as pool:
        env['APT_NB_CACHE'] = cache  # an empty one: a finished run found in the user's would be read, not tested
        results = list(pool.map(run, tests.keys(), tests.values()))
    def same(): assert state() == before, sh('git', 'status', '--short')
    results.append(run('the tests changed no file that git knows', same))
    print(f'{sum(results)} passed, {len(results) - sum(results)} failed')
    return not all(results)

if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
