"Everything here is read from settings.ini, the one place where the package is described."
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).resolve().parent
ini = ConfigParser(delimiters=['='], interpolation=None)
ini.read(here/'settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']
# setuptools words for the codes of settings.ini; an unknown code is a KeyError here, not a wrong label on the package
status = {'3': '3 - Alpha', '4': '4 - Beta', '5': '5 - Production/Stable'}
licenses = {'apache2': 'Apache-2.0'}
pythons = cfg['py_versions'].split()
readme = here/'README.md'
cluster, transformers = (cfg[f'{name}_requirements'].split() for name in ('cluster', 'transformers'))

setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'], keywords=cfg['keywords'],
    author=cfg['author'], license=licenses[cfg['license']],
    long_description=readme.read_text(encoding='utf-8') if readme.exists() else '',
    long_description_content_type='text/markdown',
    packages=find_packages(include=[cfg['lib_name'], cfg['lib_name'] + '.*']),
    package_data={cfg['lib_name']: ['pretrained/*', 'reference/*']},
    python_requires='>=' + cfg['min_python'],
    install_requires=cfg['requirements'].split(),
    extras_require={'dev': cfg['dev_requirements'].split() + cluster + transformers,
                    'cluster': cluster, 'transformers': transformers},
    entry_points={'console_scripts': cfg['console_scripts'].split(),
                  'nbdev': [f'{cfg["lib_name"]}={cfg["lib_name"]}._modidx:d']},
    classifiers=['Development Status :: ' + status[cfg['status']], 'Intended Audience :: ' + cfg['audience'],
                 'Natural Language :: ' + cfg['language']] + ['Programming Language :: Python :: ' + v for v in pythons],
    zip_safe=False,
)
