"""Settings, options, checkpoints, the files beside them and tuned files with any content: the result is right,
or a sentence names the setting, the option or the file. FUZZ=10 tries ten times as many."""
import contextlib, io, json, math, os, random, re, tempfile
from dataclasses import asdict, fields
from pathlib import Path

import pytest, torch
from hypothesis import HealthCheck, given, settings, strategies as st
from safetensors.torch import save_file

from apt_nb.commands import apt_nb_check, apt_nb_evaluate, apt_nb_predict, apt_nb_train, option_name
from apt_nb.config import CHOICES, Config, preset
from apt_nb.own_videos import load_model
from apt_nb.tuning import load_tuned, read_tuned, save_tuned, tune, tuned_state
from apt_nb.video import write_mp4
from apt_nb.video_vit import VideoViT
from apt_nb.weights import Checkpoint, HEAD_PREFIXES, load_weights, save_backbone, video_vit
from common import TAKEN, some_taken

class Case(tuple):
    "Drawn values that show no tensors."
    def __repr__(self): return f'{self[0][:2000]} {[(k, getattr(t, "shape", t), getattr(t, "dtype", None)) for k, t in self[1].items()]}'

TRIES = int(os.environ.get('FUZZ', 1))
def fuzz(n):
    "n tries, the same ones in each run."
    return settings(max_examples=n * TRIES, derandomize=True, deadline=None, database=None,
                    suppress_health_check=list(HealthCheck))

SMALL = dict(img_size=16, num_frames=2, patch_size=8, embed_dim=32, depth=2, num_heads=2, num_classes=3)

def one_of(*strategies):
    "One of the strategies, each as likely: `st.one_of` merges equal ones."
    return st.sampled_from(range(len(strategies))).flatmap(strategies.__getitem__)

@pytest.fixture(scope='module')
def folder():
    with tempfile.TemporaryDirectory() as name: yield Path(name)

def refusal(call, *names):
    "None if `call` succeeds, or the text of a `ValueError` that can be printed and holds one of the names."
    try:
        call()
        TAKEN.append(True)
    except ValueError as e:
        TAKEN.append(False)
        said = str(e)
        said.encode()
        assert any(str(n) in said for n in names), said
        return said

# Settings

FIELDS = {f.name: f for f in fields(Config)}
numbers = st.sampled_from([-1, 0, 1, 2, 3, 7, 8, 32, 33, 10**4, 2**31, 10**12, 10**30])
reals = st.one_of(st.floats(-2, 3), st.sampled_from([math.nan, math.inf, -math.inf, 1e-320, 1e300, 0., 1.]))
words = st.one_of(st.text('(a)[]{}|+*?\\0²٣ab-_.~/', max_size=8), st.sampled_from(
    ['', '0', '(', '(a|b)', '[', '(?P<x>.)', '9' * 5000, '²', 'none', 'rand-m7-n4-mstd0.5-inc1', 'rand-m', 'rand',
     'augmix-m3', '~nobody/x', 'moving_shapes', 'x' * 300, '\udcff', 'a\nb', 'é', 'uniform', 'apt', 'lists']))
anything = st.one_of(numbers, reals, words, st.booleans(), st.none(), st.lists(numbers, max_size=3), st.just({}))

def field_values(f):
    "Values of a field's type, mostly odd ones."
    if f.name in CHOICES: return one_of(st.sampled_from(CHOICES[f.name]), words)
    if f.name in ('scale', 'ratio'): return st.lists(reals, max_size=3)
    if f.name == 'prompt_blocks': return st.lists(st.sampled_from([-1, 0, 1, 11, 12, 10**12]), max_size=3)
    kinds = {int: numbers, float: reals, str: words, bool: st.booleans(), tuple: st.lists(words, max_size=3)}
    return kinds[f.type]

@st.composite
def some_settings(draw):
    "{field: value} of one to three fields, now and then of a wrong type."
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3, unique=True))
    return {n: draw(one_of(*[field_values(FIELDS[n])] * 5, anything)) for n in names if n != 'profile'}

@fuzz(600)
@given(some_settings())
def test_settings(some_taken, given):
    "Settings are right, finite and in order, or an error names one of those that were given."
    made = []
    if refusal(lambda: made.append(preset('demo', **given)), *given): return
    cfg = made[0]
    for name, value in asdict(cfg).items(): assert type(value) is FIELDS[name].type, name
    json.dumps(asdict(cfg), allow_nan=False)
    assert Config(**json.loads(json.dumps(asdict(cfg)))) == cfg
    assert 0 < cfg.scale[0] <= cfg.scale[1] <= 1 and 0 < cfg.ratio[0] <= cfg.ratio[1]
    if not cfg.weights.endswith('.safetensors') and cfg.model == 'vit_tiny':
        assert cfg.size % 8 == 0 and cfg.n_frames % 2 == 0 and set(cfg.prompt_blocks) <= set(range(12))
    if cfg.group and not cfg.group.isdecimal(): assert re.compile(cfg.group).groups

# Options

@pytest.fixture(scope='module')
def videos(folder):
    "Folders of tiny videos, a tuned file, and files that are none of these."
    import numpy as np
    for part, n in dict(train=2, val=1, test=1).items():
        for c in 'abc':
            (folder/'videos'/part/c).mkdir(parents=True)
            for i in range(n):
                frames = np.random.default_rng([ord(c), i, len(part)]).integers(0, 255, (8, 36, 40, 3))
                write_mp4(folder/'videos'/part/c/f'{i}_x.mp4', frames.astype(np.uint8), 8)
    (folder/'text.pth').write_text('text')
    model = tune(video_vit('vit_tiny', 3, weights='moving_shapes', num_frames=8, img_size=32), 'apt', n_prompts=2, seed=0)
    config = asdict(preset('smoke', data='videos', n_prompts=2, test_clips=1, test_crops=1))
    save_tuned(model, folder/'tuned.safetensors', classes=list('abc'), config=config)
    return folder

@st.composite
def typed(draw, names):
    "Words of a command line: options with values, most of the right number."
    line = []
    for name in draw(st.lists(st.sampled_from(names), max_size=3)):
        f = FIELDS[name]
        value = draw(one_of(*[field_values(f)] * 4, anything))
        dashed = option_name(name) if draw(st.integers(0, 9)) else '--' + name[:-1]
        if f.type is bool: line += [draw(st.sampled_from([dashed, dashed.replace('--', '--no-', 1)]))]
        elif isinstance(value, (list, tuple)): line += [dashed, *map(str, value)]
        else: line += draw(st.sampled_from([[dashed, str(value)], [f'{dashed}={value}']]))
    return line

def run_command(f, line, names=()):
    "The exit code of a command, which says what is wrong in the words of the line, without a traceback."
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err): code = f(line)
    said = err.getvalue()
    TAKEN.append(code != 2)
    if code == 2:
        parts = [w.split('=')[0].replace('_', '-') for w in line if w.startswith('--')]
        assert said.startswith(f.__name__), said
        says = said.removeprefix(f.__name__)
        assert any(w and w in says for w in (*parts, *line, *map(str, names))), (line, said)
    else: assert code in (0, 1), (line, code, said)
    assert 'Traceback' not in said + out.getvalue()
    return code, out.getvalue()

TRAINED = sorted(set(FIELDS) - {'data', 'model', 'annotations', 'dataset', 'test_list', 'weights', 'profile'})

@fuzz(100)
@given(line=typed(TRAINED), weights=st.sampled_from([None, None, None, '', 'moving_shapes', 'no.pth', 'text.pth', '~nobody/x.pth']),
       extra=st.sampled_from([[], [], [], ['--against'], ['--against', 'linear'], ['--against', 'x'], ['--model', 'vit_tiny'], ['x'],
                              ['--model', 'vit'], ['--dataset', 'ucf101'], ['--dataset', 'ucf'], ['--test-list', 'no.txt']]))
def test_train(some_taken, videos, line, weights, extra):
    "A plan, or a message in the words of the line. Nothing is trained or written."
    before = sorted(videos.rglob('*'))
    if weights is not None: line = ['--weights', str(videos/weights) if weights.endswith('h') and weights[0] != '~' else weights, *line]
    code, said = run_command(apt_nb_train, ['--data', str(videos/'videos'), '--plan', *line, *extra])
    if code == 0: assert 'parameters are tuned' in said and '\nrun ' in said
    assert sorted(videos.rglob('*')) == before

TESTED = ['test_clips', 'test_crops', 'batch_size', 'workers', 'precision', 'threads']
FEW = st.sampled_from(['-1', '0', '1', '2', 'x', '1.5', '9' * 30, 'fp32', ''])

@fuzz(40)
@given(line=st.lists(st.tuples(st.sampled_from(TESTED[:3] + TESTED[4:] + ['top', 'csv', 'nothing']), FEW), max_size=2),
       tuned=st.sampled_from(['tuned.safetensors'] * 4 + ['text.pth', 'no.safetensors', '']),
       command=st.sampled_from([apt_nb_predict, apt_nb_evaluate]))
def test_predict(some_taken, videos, line, tuned, command):
    "Classes of a video, or a message in the words of the line."
    data = [str(videos/'videos'/'test')] if command is apt_nb_predict else ['--data', str(videos/'videos'), '--csv', str(videos/'p.csv')]
    line = [w for name, value in line for w in (option_name(name), value)]
    with contextlib.chdir(videos): run_command(command, [str(videos/tuned), *data, *line], [tuned])

@fuzz(40)
@given(line=st.lists(st.tuples(st.sampled_from(['data', 'report', 'jobs', 'dataset', 'split', 'annotations', 'lr']),
                               st.one_of(words.filter(lambda w: len(w) < 90 and '/' not in w), FEW)), max_size=2))
def test_check(some_taken, videos, line):
    "A report, or a message in the words of the line."
    line = [w for name, value in line if (name, value) != ('jobs', '0') for w in (option_name(name), value)]
    with contextlib.chdir(videos), tempfile.TemporaryDirectory(dir=videos) as d, contextlib.chdir(d):
        run_command(apt_nb_check, ['--data', str(videos/'videos'), '--jobs', '1', *line])

# Files beside checkpoints

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, reals, st.text(max_size=5), st.sampled_from(['vit_tiny', 'gelu'])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)), max_leaves=5)

@st.composite
def changed(draw, table):
    "A table in which up to two values, at any depth, are replaced, removed or added."
    table = json.loads(json.dumps(table))
    for _ in range(draw(st.integers(0, 2))):
        at = table
        while True:
            key = draw(st.sampled_from([*sorted(at), 'added']))
            if not isinstance(at.get(key), dict) or draw(st.booleans()): break
            at = at[key]
        if draw(st.integers(0, 3)): at[key] = draw(json_values)
        else: at.pop(key, None)
    return table

def json_text(right):
    "Text of a JSON file: of a changed table, of any value, or no JSON."
    table = changed(right).map(lambda t: json.dumps(t))
    return one_of(table, table, table, json_values.map(json.dumps), st.text(max_size=20), st.just('[' * 10**5))

def small_vit(**over):
    torch.manual_seed(0)
    return VideoViT(**{**SMALL, **over})

ARCHITECTURE = {k: v for k, v in small_vit().config.items() if k != 'num_classes'}

@fuzz(300)
@given(text=json_text(dict(name='vit_tiny', architecture=ARCHITECTURE, data='x')))
def test_backbone_json(some_taken, folder, text):
    "A backbone with the settings of its .json, or an error that names the file."
    file = folder/'saved.safetensors'
    if not file.exists(): save_backbone(small_vit(), file)
    file.with_suffix('.json').write_text(text, encoding='utf-8', errors='replace')
    model = []
    said = refusal(lambda: model.append(video_vit('vit_tiny', 3, weights=file)), 'saved')
    if said or text[:1] != '{': return
    architecture = json.loads(text).get('architecture')
    if isinstance(architecture, dict):
        assert {k: model[0].config.get(k, 'videomae' if k == 'family' else 'gelu') for k in architecture} == architecture

VISION = dict(hidden_size=32, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=8,
              num_channels=3, hidden_act='quick_gelu', layer_norm_eps=1e-5)
TIMM = dict(architecture='vit_base_patch16_clip_224', pretrained_cfg=dict(tag='openai', mean=[.5] * 3, std=[.5] * 3))

def published(layout):
    "{name: tensor} of a small model as its publisher names them."
    state = small_vit(family='clip' if 'clip' in layout else 'videomae', act='quick_gelu' if 'clip' in layout else 'gelu').state_dict()
    state = {k: v for k, v in state.items() if not k.startswith('head')}
    if layout == 'own' or layout == 'own clip': return state
    if layout == 'videomae':
        return {f'encoder.{k.replace("qkv.q_", "q_").replace("qkv.v_", "v_")}': v for k, v in state.items() if 'fc_norm' not in k}
    image = {k: v for k, v in state.items() if k != 'time_embed'}
    image['patch_embed.proj.weight'] = image['patch_embed.proj.weight'].sum(2)
    image['cls_token'], image['pos_embed'] = image['cls_token'][None, None], image['pos_embed'][None]
    return {k.replace('fc_norm', 'norm'): v for k, v in image.items()}

@fuzz(200)
@given(text=json_text(TIMM), layout=st.just('timm clip'))
def test_hub_json(some_taken, folder, text, layout):
    "Weights read with the config.json beside them, or an error that names one of the two."
    (folder/'hub').mkdir(exist_ok=True)
    file = folder/'hub'/'model.safetensors'
    if not file.exists(): save_file(published(layout), file)
    (folder/'hub'/'config.json').write_text(text, encoding='utf-8', errors='replace')
    refusal(lambda: Checkpoint(file), 'config.json', 'model.safetensors')

@fuzz(200)
@given(text=json_text(VISION))
def test_transformers_json(some_taken, folder, text):
    "The same for VideoMAE in the layout of transformers."
    (folder/'hub2').mkdir(exist_ok=True)
    file = folder/'hub2'/'model.safetensors'
    names = {'patch_embed.proj': 'embeddings.patch_embeddings.projection', 'blocks.': 'encoder.layer.', 'norm1': 'layernorm_before',
             'norm2': 'layernorm_after', 'attn.proj': 'attention.output.dense', 'mlp.fc1': 'intermediate.dense', 'mlp.fc2': 'output.dense'}
    state = {}
    for k, v in small_vit().state_dict().items():
        for ours, theirs in names.items(): k = k.replace(ours, theirs)
        for part, t in zip(('query', 'key', 'value'), v.chunk(3)):
            if k.endswith('qkv.weight'): state[k.replace('attn.qkv.weight', f'attention.attention.{part}.weight')] = t.contiguous()
        k = k.replace('attn.qkv.q_bias', 'attention.attention.q_bias').replace('attn.qkv.v_bias', 'attention.attention.v_bias')
        if not k.endswith('qkv.weight') and not k.startswith(HEAD_PREFIXES): state[k] = v
    if not file.exists(): save_file(state, file)
    (folder/'hub2'/'config.json').write_text(text, encoding='utf-8', errors='replace')
    refusal(lambda: Checkpoint(file), 'config.json', 'model.safetensors')

# State dicts

PREFIXES = '', '', '', 'module.', '_orig_mod.', 'module._orig_mod.', 'model.', 'backbone.', 'encoder.', 'x.'
DTYPES = (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn)

def altered(draw, t):
    "A tensor changed in shape, type or content."
    kinds = dict(
        cut=lambda: t[:-1] if t.ndim else t, flat=lambda: t.flatten(), scalar=lambda: t.new_zeros(()), empty=lambda: t.new_zeros(0),
        more=lambda: t[None], transposed=lambda: t.transpose(0, -1).contiguous() if t.ndim else t,
        nan=lambda: torch.full_like(t, math.nan), inf=lambda: torch.full_like(t, math.inf), sparse=lambda: t.to_sparse(), meta=lambda: t.to('meta'),
        type=lambda: t.to(draw(st.sampled_from(DTYPES))), no_tensor=lambda: draw(st.sampled_from([None, 3, 'x', [1], {}])))
    return kinds[draw(st.sampled_from(sorted(kinds)))]()

def plain(t): return torch.is_tensor(t) and t.layout is torch.strided and t.dtype is torch.float32 and not t.is_meta

@st.composite
def state_dicts(draw):
    "(layout, {name: tensor}, whether only names of wrappers were added) of a published file, perhaps changed."
    layout = draw(st.sampled_from(['own', 'videomae', 'own clip', 'timm clip']))
    state, prefix = published(layout), draw(st.sampled_from(PREFIXES))
    state = {prefix + k: v for k, v in state.items()}
    same = not prefix.replace('module.', '').replace('_orig_mod.', '')
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 3]))):
        k = draw(st.sampled_from(sorted(state, key=str)))
        what = draw(st.sampled_from(['drop', 'change', 'change', 'rename', 'add', 'wrap', 'count']))
        same &= what in ('wrap', 'count')
        if what == 'drop': state.pop(k)
        elif what == 'change': state[k] = altered(draw, state[k]) if plain(state[k]) else None
        elif what == 'rename': state[draw(st.sampled_from([str(k)[:-1], 'blocks.7.x', f'encoder.{k}', '', 'time_embed', 'norm_pre.weight']))] = state.pop(k)
        elif what == 'add': state[draw(st.sampled_from(['junk', 'blocks', 'blocks.', 'norm.weight', 'head.weight', 'pos_embed', 0]))] = torch.ones(3)
        elif what == 'count': state[f'{prefix}n_averaged'] = torch.tensor(3)
        elif 'blocks.1.' in str(k) and '_orig_mod' not in str(k): state[str(k).replace('blocks.1.', 'blocks.1._orig_mod.')] = state.pop(k)
        if not state: state['junk'] = torch.ones(3)
    return Case((layout, state, same))

@fuzz(400)
@given(case=state_dicts(), nested=st.sampled_from([None, None, 'model', 'state_dict', 'module']))
def test_state_dicts(some_taken, folder, case, nested):
    "Each tensor of the model comes from the file, or an error names the file."
    layout, state, same = case
    file = folder/'state.pth'
    torch.save({nested: state, 'epoch': 3} if nested else state, file)
    clip = dict(family='clip', act='quick_gelu') if 'clip' in layout else {}
    model = small_vit(**clip)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    loaded = []
    if refusal(lambda: loaded.append(load_weights(model, file)), 'state.pth'):
        assert not same
        for k, v in model.state_dict().items(): assert torch.equal(v, before[k]), k
        return
    fresh = loaded[0]['fresh']
    assert all(k.startswith(HEAD_PREFIXES) or k == 'time_embed' for k in fresh)
    for k, v in model.state_dict().items(): assert v.isfinite().all(), k
    if same and layout != 'timm clip':
        for k, v in model.state_dict().items(): assert torch.equal(v, before[k]), k

# Tuned files

@pytest.fixture(scope='module')
def tuned(folder):
    "A small tuned model and what its file says and holds."
    torch.manual_seed(0)
    model = tune(small_vit(), 'apt', n_prompts=2, seed=0)
    config = asdict(preset('smoke', size=16, n_frames=2, n_prompts=2))
    save_tuned(model, folder/'small.safetensors', classes=list('abc'), config=config)
    return model, *read_tuned(folder/'small.safetensors')

@st.composite
def tuned_files(draw, info, state):
    "(text of the header, tensors)"
    header = draw(json_text({k: v for k, v in info.items()}))
    state = dict(state)
    if not draw(st.integers(0, 3)):
        k = draw(st.sampled_from(sorted(state)))
        t = altered(draw, state[k])
        if torch.is_tensor(t) and t.layout is torch.strided and not t.is_meta: state[k] = t.contiguous()
        else: state.pop(k)
    return Case((header, state))

@fuzz(400)
@given(data=st.data())
def test_tuned(some_taken, folder, tuned, data):
    "A model with the tensors of the file, or an error that names the file and an unchanged model."
    _, info, state = tuned
    header, tensors = data.draw(tuned_files(info, state))
    file = folder/'odd.safetensors'
    save_file(tensors, file, metadata=dict(apt_nb=header.encode('utf-8', 'replace').decode()))
    model = small_vit()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    if refusal(lambda: load_tuned(model, file), 'odd.safetensors'):
        assert not hasattr(model, 'tuned')
        for k, v in model.state_dict().items(): assert torch.equal(v, before[k]), k
        return
    for k, t in tuned_state(model).items(): assert torch.equal(t, tensors[k].to(t.dtype)), k
    assert model(torch.zeros(1, 3, 2, 16, 16)).isfinite().all()
    if 'classes' in model.tuned['meta']: assert len(set(model.tuned['meta']['classes'])) == 3

@fuzz(100)
@given(data=st.data())
def test_tuned_command(some_taken, videos, data):
    "A model, its three classes and its settings, or an error that names the file or --weights."
    info, state = read_tuned(videos/'tuned.safetensors')
    info['backbone']['frozen'] = dict(list(info['backbone']['frozen'].items()))
    header, _ = data.draw(tuned_files(info, state))
    file = videos/'odd2.safetensors'
    save_file(state, file, metadata=dict(apt_nb=header.encode('utf-8', 'replace').decode()))
    made = []
    if refusal(lambda: made.append(load_model(file)), 'odd2.safetensors', '--weights'): return
    _, classes, cfg = made[0]
    assert len(set(classes)) == 3 and isinstance(cfg, Config)

@fuzz(60)
@given(data=st.data(), args=one_of(st.none(), changed(dict(prompt_start=0, prompt_end=0, prompt_dropout=.1, num_frames=2, input_size=16))))
def test_published(some_taken, folder, data, args):
    "The authors' layout: a model with the tensors of the file, or an error that names the file."
    file = folder/'published.pth'
    model = tune(small_vit(), 'apt', n_prompts=2, prompt_blocks=data.draw(st.sampled_from([None, [0], [1]])), seed=0)
    save_tuned(model, file, layout='published', classes=list('abc'))
    found = torch.load(file)
    for _ in range(data.draw(st.integers(0, 2))):
        k = data.draw(st.sampled_from(sorted(k for k in found['model'] if not k.startswith('blocks.'))))
        t = altered(data.draw, found['model'][k]) if plain(found['model'][k]) else None
        found['model'] = {n: v for n, v in (found['model'] | {k: t}).items() if v is not None}
    if args is not None: found['args'] = args
    torch.save(found, file)
    again = small_vit()
    if refusal(lambda: load_tuned(again, file), 'published.pth'): return
    assert set(tuned_state(again)) >= {'head.weight', 'fc_norm.weight'}
    if args is None:
        for k, t in tuned_state(again).items(): assert torch.allclose(t, tuned_state(model)[k], atol=.01), k
