"""Run notebooks of the library, and list the cells that no longer say what is saved: `python tools/check_outputs.py`.

Numbers, hashes, temporary folders and progress bars do not count: they differ from machine to machine, or from run to
run. Without the real clips (see nbs/api/03_video.ipynb) the cells that show them are listed too.
Arguments choose notebooks by a part of their name. The executed notebooks are written to --out, so that you can take
the cells that are out of date from there. Cells marked slow or real run with APT_NB_SLOW=1.
"""
import argparse, os, re, sys, tempfile
from difflib import ndiff
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(r'^#\|\s*(slow|real|eval:\s*false)', re.M)

class Client(NotebookClient):
    "Runs a notebook without its marked cells."
    async def async_execute_cell(self, cell, *args, **kwargs):
        marked = cell.cell_type == 'code' and MARKED.search(cell.source)
        if marked and not os.environ.get('APT_NB_SLOW'): return cell
        return await super().async_execute_cell(cell, *args, **kwargs)

def said(cell):
    "What a cell shows as text, one item per line, with '#' for numbers."
    def text(o):
        if o.output_type == 'stream': return o.text if o.name == 'stdout' else ''
        data = o.get('data', {})
        return '' if 'image/png' in data else data.get('text/markdown', data.get('text/plain', ''))
    whole = re.sub(r'[^\n]*%\|[^\n]*\]', '', '\n'.join(map(text, cell.get('outputs', []))))
    whole = re.sub(rf'{re.escape(tempfile.gettempdir())}/[^/\s:,]*', '<tmp>', whole)
    whole = re.sub(r'\b[0-9a-f]{12,}\b|[-+]?\d[\d,.]*(e[-+]?\d+)?', '#', re.sub(r':?-{2,}:?', '', whole))
    return [' '.join(line.split()) for line in whole.splitlines() if line.strip()]

def differences(nb, out):
    "{cell: lines that differ} of a notebook, which is run. The executed one is written to `out`."
    ran = nbformat.read(nb, as_version=4)
    saved = {c.id: said(c) for c in ran.cells}
    Client(ran, timeout=None, kernel_name='python3', resources=dict(metadata=dict(path=str(nb.parent))),
           extra_arguments=['--log-level=ERROR']).execute()
    nbformat.write(ran, out/nb.name)
    changed = {c.id: [line for line in ndiff(saved[c.id], said(c)) if line[0] in '-+'] for c in ran.cells}
    return {id: lines for id, lines in changed.items() if lines}

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('names', nargs='*', help='parts of names [all of nbs/api]')
    p.add_argument('--out', type=Path, help='folder for the executed notebooks [a temporary one]')
    given = p.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    every = sorted((ROOT/'nbs/api').glob('[0-9]*.ipynb'))
    chosen = [nb for nb in every if not given.names or any(n in nb.name for n in given.names)]
    if not chosen: sys.exit(f'no notebook of nbs/api has {" or ".join(given.names)} in its name')
    n = 0
    for nb in chosen:
        for id, lines in differences(nb, out).items():
            print(f'{nb.name}, cell {id}:\n  ' + '\n  '.join(lines), flush=True)
            n += 1
    print(f'{n} cells of {len(chosen)} notebooks say something else; the executed ones are in {out}')
    sys.exit(n > 0)
