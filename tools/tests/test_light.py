"A command says what its options are, and what is wrong with yours, before it loads torch."
import configparser, sys

import pytest
from common import ROOT, sh

HEAVY = 'torch torchvision accelerate timm pandas matplotlib decord'.split()

def entry_points():
    "{command: module:function}"
    ini = configparser.ConfigParser(delimiters=['='], interpolation=None)
    ini.read(ROOT/'settings.ini', encoding='utf-8')
    return dict(entry.split('=') for entry in ini['DEFAULT']['console_scripts'].split())

COMMANDS = entry_points()
SCRIPT = f'''import sys
from importlib import import_module
module, name = sys.argv[1].split(':')
sys.argv = [name, *sys.argv[2:]]
try: code = getattr(import_module(module), name)()
except SystemExit as e: code = e.code
print('exit code:', code or 0, 'loaded:', *{{*{HEAVY}}} & {{*sys.modules}})
'''

@pytest.fixture
def call(tmp_path):
    "What a command prints in a process of its own, then its exit code and the heavy modules that it loaded."
    script = tmp_path/'script.py' # call_parse looks for the file that calls it
    script.write_text(SCRIPT, encoding='utf-8')
    return lambda command, *args: sh(sys.executable, script, COMMANDS[command], *args)

@pytest.mark.parametrize('command', COMMANDS)
def test_help(command, call):
    "--help loads nothing heavy."
    printed = call(command, '--help')
    assert f'usage: {command}' in printed and printed.endswith('exit code: 0 loaded:\n'), printed[-300:]

@pytest.mark.parametrize('command', COMMANDS)
def test_unknown_option(command, call):
    "Nor does an option that does not exist."
    printed = call(command, 'x', 'y', '--no-such-option')
    assert '--no-such-option' in printed and printed.endswith('exit code: 2 loaded:\n'), printed[-300:]

WRONG = {
    'apt_nb_train': '--data is missing', 'apt_nb_evaluate': 'required: tuned', 'apt_nb_check': '--data is missing',
    'apt_nb_predict tuned.safetensors': 'required: videos',
    'apt_nb_train --data . --lr high': "invalid float value: 'high'", 'apt_nb_train --data . --lr -1': '--lr is -1',
    'apt_nb_train --data . --warmup-epochs 99': '--warmup-epochs is 99.0, more than',
    'apt_nb_train --data . --against magic': "--against is 'magic'",
    'apt_nb_train --data . --profile big': "--profile is 'big'", 'apt_nb_check --data . --jobs -1': '--jobs is -1',
    'apt_nb_predict x y --top 0': '--top is 0', 'apt_nb_predict x y --csv /': '--csv is',
    'apt_nb_train --data /path/to/clips': "'/path/to/clips', an example", 'apt_nb_train --data nowhere': 'there is no such',
    'apt_nb_train --data . --weights no.pth': "no weights 'no.pth'", 'apt_nb_evaluate no --data .': 'no: no such file',
    'apt_nb_predict no x': 'no: no such file', 'apt_nb_predict . x': 'a folder without tuned.safetensors',
    'apt_nb_predict x y --window 2': '--window is for a timeline', 'apt_nb_check --data nowhere': 'there is no such',
    'apt_nb_pretrain --steps x': 'invalid int value', 'apt_nb_reproduce --jobs x': 'invalid int value'}

@pytest.mark.parametrize('line', WRONG)
def test_wrong_value(line, call):
    "Nor a missing argument, or a value that no run could have."
    printed = call(*line.split())
    assert WRONG[line] in printed and printed.endswith('exit code: 2 loaded:\n'), printed[-300:]

def test_wrong_task(call):
    "Nor a task that does not exist."
    printed = call('apt_nb_pretrain_supervised', '--task', 'words')
    assert 'it must be actions or pictures' in printed and printed.endswith('exit code: 2 loaded:\n'), printed[-300:]
