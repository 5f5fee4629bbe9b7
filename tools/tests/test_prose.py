"Numbers in sentences: each is computed here from the shipped records and must stand in its notebook."
import json, re
from functools import cache
from urllib.parse import unquote

import nbformat, pytest
from common import LIBRARY, ROOT, none

NUMBERS = '08_comparison', '09_other_pretraining', '05_ablation_weight_decay', '01_ablation_prompt_length', 'index'

@cache
def records(stem):
    rows = json.loads((ROOT/f'figures/demo/records/{stem}.json').read_text(encoding='utf-8'))
    return [r for r in rows if 'curves' in r]

def said(stem):
    "The Markdown of a notebook, on one line."
    cells = nbformat.read(ROOT/f'nbs/{stem}.ipynb', as_version=4).cells
    return re.sub(r'\s+', ' ', ' '.join(c.source for c in cells if c.cell_type == 'markdown'))

def diverged():
    return json.loads((ROOT/'figures/demo/made_by.json').read_text(encoding='utf-8'))['diverged']

def values(rows, field): return {r['config'][field] for r in rows}

def work(stem, each):
    "The sentence on the runs of a comparison: `each` is what a row runs on."
    rows = records(stem)
    finals = [r for r in rows if r['config']['part'] == 'final']
    n_rows, n_targets, n_seeds = (len(values(finals, f)) for f in ('row', 'target', 'seed'))
    rates = {}
    for r in rows: rates.setdefault(r['config']['method'], set()).add(r['config']['lr'])
    tried = max(map(len, rates.values()))
    search = tried * n_rows * n_targets
    assert search - len(diverged()) <= len({r['hash'] for r in rows if r['seed'] == 0}) <= search
    more = ('', 'one', 'Two', 'Three', 'Four', 'Five')[n_seeds - 1]
    return (f'The search takes {tried} rates for each of {n_rows} rows on {n_targets} {each}, {search} runs. '
            f'{more} more seeds at the chosen rates take {n_rows * n_targets * (n_seeds - 1)}.')

def minutes(rows):
    "Median time of a run, to half a minute."
    seconds = sorted(r['timing']['seconds'] for r in rows)
    return round(seconds[len(seconds) // 2] / 30) / 2

def sentences():
    "(notebook, sentence) of all numbers."
    from apt_nb.tuning import n_tuned, tune
    from apt_nb.weights import video_vit
    eight, nine, five = (records(f'{s}') for s in NUMBERS[:3])
    order = [r for r in eight if r['config']['target'] == 'order']
    yield '08_comparison', work('08_comparison', 'targets')
    yield '08_comparison', f'about {minutes(order):g} minutes on one core for the first target'
    yield '09_other_pretraining', work('09_other_pretraining', 'backbones')
    of = lambda target: minutes([r for r in nine if r['config']['target'] == target])
    yield '09_other_pretraining', f'about {of("masked"):g} minutes, or {of("pictures"):g} with the image model'
    both = {r['hash'] for r in nine} & {r['hash'] for r in order}
    yield '09_other_pretraining', f'Of these {len(nine) + len(diverged())} runs, {len(both)} are'
    sizes = {r['config']['row']: r['n_tuned'] for r in order}
    alike = [sizes[n] for n in ('AdaptFormer-8', 'ST-Adapter-8', 'VPT-16', 'LoRA-4', 'APT-32')]
    spread = 100 * (max(alike) / min(alike) - 1)
    yield '08_comparison', f'tune the same number, within {spread:.0f}%'
    few = {r['videos']['train'] // len(r['classes']): r for r in eight}
    yield '08_comparison', f'with {min(few)} clips a class instead of {sorted(few)[1]}'
    c = five[0]['config']
    steps = five[0]['videos']['train'] // c['batch_size'] * c['epochs']
    yield '05_ablation_weight_decay', f'In its {steps} steps'
    train = records('01_ablation_prompt_length')[0]['videos']['train']
    yield '01_ablation_prompt_length', f'and {train:,} at demo size'
    yield 'index', f'a toy of {(five[0]["n_total"] - five[0]["n_tuned"]) / 1e6:.1f} million parameters'
    model = lambda: video_vit('vit_base', 2, img_size=32, num_frames=2)
    per_prompt = n_tuned(tune(model(), 'apt', n_prompts=2)) - n_tuned(tune(model(), 'apt', n_prompts=1))
    yield 'index', f'= {per_prompt:,} parameters'

def test_numbers():
    missing = [f'{stem}: {sentence}' for stem, sentence in sentences() if sentence not in said(stem)]
    if missing: pytest.fail('the records say otherwise:\n  ' + '\n  '.join(missing), pytrace=False)

def links(file):
    "Links of a Markdown file, or of the texts of a notebook, to files of the clone."
    text = file.read_text(encoding='utf-8')
    if file.suffix == '.ipynb':
        text = '\n'.join(c.source for c in nbformat.reads(text, as_version=4).cells if c.cell_type == 'markdown')
    found = re.findall(r'(?:\]\(|src=")([^)"\s]+)', text)
    return [unquote(link.partition('#')[0]) for link in found if not re.match(r'[a-z]+:|#', link)]

def test_links():
    "Each link to a file of the clone leads to one."
    pages = [*ROOT.glob('*.md'), *ROOT.glob('figures/**/*.md'), *ROOT.glob('nbs/*.ipynb'), *LIBRARY]
    lost = [f'{p.relative_to(ROOT)}: {link}' for p in pages for link in links(p) if not (p.parent/link).exists()]
    none(lost, 'links that lead nowhere')
