"""Make README.md from nbs/index.ipynb: `python tools/readme.py`.

With --check it compares the two, and fails if they differ.
"""
import posixpath, re, sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parent.parent

def from_root(link):
    "A link written relative to nbs/, seen from the repository's root."
    return link if re.match(r'[a-z]+:|#', link) else posixpath.normpath(posixpath.join('nbs', link))

def readme():
    "README.md as text: the cells of index.ipynb without hidden and exported ones, with links from the root."
    nb = nbformat.read(ROOT/'nbs/index.ipynb', as_version=4)
    nb.cells = [c for c in nb.cells if not re.match(r'#\|\s*(hide|export|default_exp)', c.source)]
    nb.metadata['language_info'] = dict(name='python')  # nbdev_clean removes it; code fences name it
    for c in nb.cells:
        if c.cell_type == 'markdown':
            c.source = re.sub(r'(\]\(|src=")([^)"\s]+)', lambda m: m[1] + from_root(m[2]), c.source)
    text = re.sub(r'\n{3,}', '\n\n', MarkdownExporter().from_notebook_node(nb)[0])
    return f'<!-- Made from nbs/index.ipynb by tools/readme.py: edit the notebook. -->\n\n{text.strip()}\n'

if __name__ == '__main__':
    file = ROOT/'README.md'
    if '--check' not in sys.argv: file.write_text(readme(), encoding='utf-8', newline='\n')
    elif not file.exists() or file.read_text(encoding='utf-8') != readme():
        sys.exit('README.md is not what nbs/index.ipynb says. Run: python tools/readme.py')
