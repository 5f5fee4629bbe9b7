"One temporary folder for a whole run, and a last check that the working tree is unchanged."
import os, subprocess, sys, tempfile
from pathlib import Path

import pytest
from common import ROOT

def pytest_xdist_auto_num_workers():
    "Two workers, or one on a single core. `./test.sh -n 4` starts more."
    return min(2, len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count())

def pytest_configure(config):
    "Prepare the environment of all tests, once: pytest-xdist's workers inherit it."
    if hasattr(config, 'workerinput'): return
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    tempfile.tempdir = folder.name
    commands = Path(sys.executable).parent
    # the cache starts empty: a finished run in the user's own would be read, not tested
    os.environ |= dict(TMPDIR=folder.name, APT_NB_CACHE=f'{folder.name}/cache', OMP_NUM_THREADS='1')
    os.environ['PATH'] = f'{commands}{os.pathsep}{os.environ["PATH"]}'
    config.pluginmanager.register(WorkingTree())

def git(command):
    "What git prints, or nothing outside a repository."
    trusted = 'git', '-c', 'safe.directory=*', '--no-optional-locks' # also a clone of another user's, as in a container
    r = subprocess.run([*trusted, *command.split()], cwd=ROOT, capture_output=True)
    if r.returncode and (ROOT/'.git').exists(): pytest.exit(f'git {command}: {r.stderr.decode(errors="replace")}', 3)
    return r.stdout.decode(errors='replace')

class WorkingTree:
    "Fails the run if its tests changed a file that git knows, or left a new one."
    def pytest_sessionstart(self): self.before = self.state()

    def state(self): return git('status --porcelain'), git('diff')

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if self.state() == self.before: return
        message = f'Files changed while the tests ran. git status now:\n{git("status --short")}'
        name = 'the tests changed no file that git knows'
        report = pytest.TestReport(name, (name, None, name), {}, 'failed', message, 'call')
        session.config.hook.pytest_runtest_logreport(report=report)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
