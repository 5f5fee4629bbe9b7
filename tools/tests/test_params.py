"Parameter files say what differs from their profile, and nothing else."
import pytest
from common import ROOT, each, none
from papermill.iorw import read_yaml_file

@each(sorted((ROOT/'nbs/params').glob('*.yaml')), 'file')
def test_differences(file):
    "Every setting of a file changes the settings of its runs."
    from apt_nb.config import preset
    values = read_yaml_file(str(file))
    if not values.get('settings'): pytest.skip('no settings')
    targets = values.get('targets') or {'': dict(data=values.get('data', 'moving_shapes'))}
    def runs(settings):
        own = lambda target: {k: v for k, v in target.items() if k != 'paper'}
        try: return [preset(values['profile'], **settings | own(target)) for target in targets.values()]
        except ValueError as e: return e  # another setting needs it
    full = runs(values['settings'])
    without = {k: {n: v for n, v in values['settings'].items() if n != k} for k in values['settings']}
    none([k for k, settings in without.items() if runs(settings) == full], f'{file.name} repeats its profile')

@each(sorted((ROOT/'nbs/params').glob('*.yaml')), 'file')
def test_known(file):
    "Every name in a file is a parameter of its notebook."
    from apt_nb.notebooks import read_parameters
    name, profile, _ = file.name.split('.')
    assert read_parameters(ROOT/'nbs'/f'{name}.ipynb', profile, file)
