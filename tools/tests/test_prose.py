"Numbers in sentences: each is computed here from the shipped records and must stand in its notebook."
import json, re
from functools import cache
from statistics import mean, median
from urllib.parse import unquote

import nbformat, pytest
import pandas as pd
from apt_nb.comparison import paper_rows
from apt_nb.core import spent_seconds
from apt_nb.paper import published
from apt_nb.speed import hours_of
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

def values(rows, field): return {r['config'][field] for r in rows}

def work(stem, each):
    "The sentences on the runs of a comparison: `each` is what a row runs on."
    rows = records(stem)
    finals = [r for r in rows if r['config']['part'] == 'final']
    n_rows, n_targets, n_seeds = (len(values(finals, f)) for f in ('row', 'target', 'seed'))
    cells, seeds = n_rows * n_targets, ('', 'one', 'two', 'three', 'four', 'five')[n_seeds]
    return (f'The search takes 3 rates for each of {n_rows} rows on {n_targets} {each}, {3 * cells} runs of half the epochs',
            f'Then {seeds} seeds at the chosen rates take {n_seeds * cells} runs.')

def hours(rows): return round(hours_of(rows)['hours'])

def minutes(rows):
    "From the shortest run to the longest."
    times = [max(1, round(spent_seconds(r['timing']) / 60)) for r in rows]
    return f'{min(times)} to {max(times)}'

def paces():
    """Of the runs of all notebooks: seconds of the median epoch of each, by its kind, so by what decides how much
    work an epoch is; number and hours of all; hours if each were as fast as the fastest of its kind."""
    files = (ROOT/'figures/demo/records').glob('[0-9]*.json')
    runs = {r['hash']: r for f in files for r in records(f.stem)}.values()
    fields = 'method', 'n_prompts', 'bottleneck', 'rank', 'prompt_blocks', 'rand_augment', 'weights', 'n_train'
    kinds = {}
    for r in runs: kinds.setdefault(str([r['config'].get(f) for f in fields]), []).append(r)
    times = [[median(r['timing']['epochs']) for r in kind] for kind in kinds.values()]
    ratio = [spent_seconds(r['timing']) * min(t) / s for k, t in zip(kinds.values(), times) for r, s in zip(k, t)]
    return times, len(runs), hours_of(runs)['hours'], sum(ratio) / 3600

def sentences():
    "(notebook, sentence) of all numbers."
    from apt_nb.tuning import n_tuned, tune
    from apt_nb.weights import video_vit
    eight, nine, five = (records(f'{s}') for s in NUMBERS[:3])
    order = [r for r in eight if r['config']['target'] == 'order']
    for stem, each in dict(zip(NUMBERS, ('targets', 'backbones'))).items():
        for sentence in work(stem, each): yield stem, sentence
    search, finals = ([r for r in eight if r['config']['part'] == part] for part in ('search', 'final'))
    yield '08_comparison', (f'On one core they took {hours(eight)} hours, {minutes(search)} minutes for a run of '
                            f'the search and {minutes(finals)} for a later one.')
    own = [r for r in nine if r['hash'] not in {r['hash'] for r in eight}]
    yield '09_other_pretraining', f'On one core the others took {hours(own)} hours.'
    own = [r for r in records('14_budget') if r['hash'] not in {r['hash'] for r in eight}]
    yield '14_budget', f'On one core the others took {hours(own)} hours, two thirds of it for the longest budget.'
    own = [r for r in records('13_inside') if r['hash'] not in {r['hash'] for r in eight}]
    yield '13_inside', f'On one core the others took {hours(own)} hours.'
    n_seeds = len(values((r for r in records('13_inside') if r['config']['part'] == 'final'), 'seed'))
    seeds = ('one seed', 'two seeds', 'three seeds')[n_seeds - 1]
    yield 'index', f'another form of them is better ({seeds})'
    yield '13_inside', f'Each row has {seeds} here.'
    sizes = {r['config']['row']: r['n_tuned'] for r in order}
    alike = [sizes[n] for n in ('AdaptFormer-8', 'ST-Adapter-8', 'VPT-16', 'LoRA-4', 'APT-32')]
    spread = 100 * (max(alike) / min(alike) - 1)
    yield '08_comparison', f'tune the same number, within {spread:.0f}%'
    few = {r['videos']['train'] // len(r['classes']): r for r in eight}
    yield '08_comparison', f'with {min(few)} clips a class instead of {sorted(few)[1]}'
    c = five[0]['config']
    steps = five[0]['videos']['train'] // c['batch_size'] * c['epochs']
    yield '05_ablation_weight_decay', f'In its {steps:,} steps'
    train = records('01_ablation_prompt_length')[0]['videos']['train']
    yield '01_ablation_prompt_length', f'and {train:,} at demo size'
    yield 'index', f'a toy of {(five[0]["n_total"] - five[0]["n_tuned"]) / 1e6:.1f} million parameters'
    model = lambda: video_vit('vit_base', 2, img_size=32, num_frames=2)
    per_prompt = n_tuned(tune(model(), 'apt', n_prompts=2)) - n_tuned(tune(model(), 'apt', n_prompts=1))
    yield 'index', f'= {per_prompt:,} parameters'
    times, n, spent, at_best = paces()
    yield '12_speed', (f'runs of one kind differ up to {max(max(t) / min(t) for t in times):.0f}-fold. If all of a kind '
                       f'were as fast as the fastest, it would be {at_best:.0f} hours.')
    yield 'index', f'{n} runs, {spent / 2:.0f} hours on two cores'

def claims():
    "(notebook, sentence, whether the records say so) of what a sentence says without a number of its own."
    eight, nine = records('08_comparison'), records('09_other_pretraining')
    def top1(rows, target, row, part='final'):
        of = [r for r in rows if [r['config'][k] for k in ('target', 'row', 'part')] == [target, row, part]]
        return [(r['test'] or r['curves'][-1])['top1' if r['test'] else 'val_top1'] for r in of]
    def spread(*args): return max(top1(*args)) - min(top1(*args))
    few = eight, 'few', 'VPT-1'
    unsteady = min(spread(*few), spread(*few, 'search')) > 10
    yield '10_audit', 'VPT-1 changes by more than ten points from rate to rate and from seed to seed', unsteady
    yield '08_comparison', 'its rates and seeds differ by more than ten points', unsteady
    ahead = mean(top1(eight, 'few', 'Full')) - mean(top1(eight, 'few', 'APT-16'))
    printed = paper_rows('hmdb51').top1
    yield '10_audit', 'more than twice the printed one', ahead > 2 * (printed['Full'] - printed['APT-400'])
    t1 = published(1).top1
    yield '10_audit', f'rise from 400 to 1,400 prompts is {t1[1400] - t1[400]:.1f}', True
    finals = [r for r in nine if (r['config']['target'], r['config']['part']) == ('actions', 'final')]
    actions = [r['test']['per_class'].values() for r in finals]
    full = sum(min(of_class) > 95 for of_class in zip(*actions))
    yield '10_audit', f'There {full} of the {len(actions[0])} classes are nearly full', True
    share = max(top1(nine, 'pictures', 'Full', 'search')) / mean(top1(nine, 'pictures', 'Full'))
    yield '09_other_pretraining', 'little more than half of its final accuracy', .5 < share < .6
    pairs = pd.read_csv(ROOT/'figures/demo/table_inside_differences.csv')
    usual = round((pairs.high - pairs.low) / 2).isin([2, 3])
    yield '13_inside', 'the interval of most pairs is some 2 to 3 points to each side', usual.mean() > .5

def test_claims():
    wrong = [f'{stem}: {says}' for stem, says, holds in claims() if not holds or says not in said(stem)]
    none(wrong, 'the records say otherwise')

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
