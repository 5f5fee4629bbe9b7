"""Lists, official files and class folders with any content: the result is right, or a `DatasetError` names
the file. FUZZ=10 tries ten times as many."""
import csv, io, json, os, re, tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from apt_nb.datasets import DatasetError, SUFFIXES, VideoList, class_tree, folder_splits, groups_of, has_parts
from apt_nb.datasets import split_by_list
from apt_nb.official import OFFICIAL_SETS, Annotations, official_splits
from common import TAKEN, some_taken

TRIES = 300 * int(os.environ.get('FUZZ', 1))
fuzz = settings(max_examples=TRIES, derandomize=True, deadline=None, database=None,
                suppress_health_check=list(HealthCheck))

def one_of(*strategies):
    "One of the strategies, each as likely: `st.one_of` merges equal ones."
    return st.sampled_from(range(len(strategies))).flatmap(strategies.__getitem__)

text = st.text(max_size=30)
odd_text = st.one_of(text, st.text('aä/\\. ,;"\'\t0129-\r\0\u2028', max_size=12))
odd_number = st.sampled_from(['1.5', '1e9', '9' * 30, '9' * 5000, '٣', 'nan', ''])
number = st.one_of(st.integers(-3, 9).map(str), odd_number)
UTF8 = 'utf-8', 'utf-8-sig'
codec = st.sampled_from(['utf-8'] * 16 + ['utf-8-sig', 'utf-16', 'utf-16-le', 'latin-1', 'cp1252'])

@pytest.fixture(scope='module')
def folder():
    with tempfile.TemporaryDirectory() as name: yield Path(name)

def written(file, content, encoding='utf-8'):
    "A file of text (what the encoding lacks becomes '?'), or of bytes."
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str): content = content.encode(encoding, 'replace')
    file.write_bytes(content)
    return file

def answer(call, *names):
    "What `call` returns, or None after a `DatasetError` that can be printed and holds one of the names."
    try:
        found = call()
        TAKEN.append(True)
        return found
    except DatasetError as e:
        TAKEN.append(False)
        said = str(e)
        said.encode()
        assert any(str(n) in said for n in names), said

# Split lists

KNOWN = ['down/a.mp4', 'down/b 1.mp4', 'down/č [x], 2.avi',
         "right/it's.webm", 'right/小明 (1) 3.mp4', 'right/C.MOV']
LABELS = [0, 0, 0, 1, 1, 1]

def videos(root): return VideoList(root, KNOWN, LABELS, ['down', 'right'])

@st.composite
def line_of(draw, root, labels, i):
    "(a line of a list, position `i` of the video that it means, or None)"
    if draw(st.sampled_from(range(20))) == 19: return draw(odd_text.filter(lambda s: s.strip())), None
    name = KNOWN[i] if draw(st.booleans()) else KNOWN[i].split('/')[1]
    change = draw(st.sampled_from(['', '', '', 'dot', 'root', 'slash', 'case', 'quotes']))
    name = {'dot': f'./{name}', 'root': f'{root}/{KNOWN[i]}'}.get(change, changed(name, change))
    label = draw(st.sampled_from(labels[LABELS[i]]))
    gap = draw(st.sampled_from([' ', '\t', ',', ', ', '  ']))
    return name + (gap + label if label else ''), i

LABEL_TEXTS = [['', '1', 'down'], ['', '2', 'right']]

@fuzz
@given(data=st.data(), encoding=codec, end=st.sampled_from(['\n', '\r\n', '\n\n']))
def test_split_list(some_taken, folder, data, encoding, end):
    "A list of known videos gives these; one with an unknown line or a video twice is refused."
    once = data.draw(st.sampled_from([True] * 4 + [False]))
    positions = st.lists(st.integers(0, len(KNOWN) - 1), max_size=6, unique=once)
    pairs = [data.draw(line_of(folder, LABEL_TEXTS, i)) for i in data.draw(positions)]
    file = written(folder/'split.txt', end.join(line for line, _ in pairs), encoding)
    found = answer(lambda: split_by_list(videos(folder), file), file)
    wanted = [i for _, i in pairs]
    good = wanted and None not in wanted and len(set(wanted)) == len(wanted) and encoding in UTF8
    if good: assert found and found.paths == [KNOWN[i] for i in wanted]
    if good: assert found.labels == [LABELS[i] for i in wanted]
    if found and not good: assert None in wanted or encoding not in UTF8, (pairs, found.paths)

@fuzz
@given(content=st.one_of(st.binary(max_size=200), odd_text, st.lists(odd_text, max_size=5).map('\n'.join)))
def test_split_list_of_anything(folder, content):
    file = written(folder/'any.txt', content, 'utf-8')
    assert answer(lambda: split_by_list(videos(folder), file), file) is None

@fuzz
@given(group=one_of(odd_text, st.text('()[]{}?*+\\d|^$a_1', max_size=8), st.integers(-2, 5),
                    st.sampled_from(['(.)', r'(\w+)', r'([^.]*)\.', r'(?P<x>..)'])))
def test_groups(some_taken, folder, group):
    found = answer(lambda: groups_of(videos(folder), group), f'group={group!r}')
    if found: assert all(found) and len(found) == len(KNOWN)

# List data sets

def changed(name, how):
    "A path as another machine may write it."
    if how == 'far': return f'/far/away/{name}'
    if how == 'slash': return name.replace('/', '\\')
    if how == 'case': return name.upper()
    if how == 'quotes': return f'"{name}"'
    return re.sub(r'\.\w+$', '.mkv', name) if how == 'other ending' else name

@pytest.fixture(scope='module')
def on_disk(folder):
    "A folder of the known videos."
    for name in KNOWN: written(folder/'disk'/name, name)
    return folder/'disk'

@fuzz
@given(data=st.data(), first=st.integers(0, 1), encoding=codec)
def test_list_data_set(some_taken, folder, on_disk, data, first, encoding):
    "Labels from 0 or 1 give the same parts."
    order = data.draw(st.permutations(range(len(KNOWN))))
    cut = data.draw(st.integers(1, len(KNOWN) - 1))
    parts, junk = dict(train=order[:cut], test=order[cut:]), False
    for part, wanted in parts.items():
        lines = []
        for i in wanted:
            change = data.draw(st.sampled_from(['', '', 'far', 'slash', 'quotes', 'case', 'other ending']))
            gap = data.draw(st.sampled_from([' ', ',', '\t', ', ']))
            lines.append(changed(KNOWN[i], change) + gap + str(LABELS[i] + first))
        if data.draw(st.sampled_from(range(16))) == 15:
            junk = True
            lines.append(data.draw(odd_text))
        written(folder/'notes'/f'{part}.csv', '\n'.join(lines), encoding)
    found = answer(lambda: official_splits('lists', on_disk, annotations=folder/'notes', val=0), folder)
    trained = {LABELS[i] for i in parts['train']}
    good = encoding in UTF8 and not junk and trained == {0, 1}
    if good: assert found and [c.lower() for c in found[0].classes] == ['down', 'right']
    if found and not junk and encoding in UTF8:
        assert [found[0].paths, found[2].paths] == [[KNOWN[i] for i in p] for p in parts.values()]
        if good: assert found[0].labels == [LABELS[i] for i in parts['train']]

@pytest.fixture(scope='module')
def with_frames(folder):
    "A folder of the known videos, of which every other one is a folder of frames."
    for i, name in enumerate(KNOWN):
        if i % 2: written(folder/'mixed'/name, name)
        else: [written(folder/'mixed'/Path(name).with_suffix('')/f'{k}.jpg', f'{name} {k}') for k in (1, 2)]
    return folder/'mixed'

@fuzz
@given(data=st.data(), order=st.permutations(range(len(KNOWN))), cut=st.integers(1, len(KNOWN) - 1))
def test_list_of_frames(some_taken, folder, with_frames, data, order, cut):
    "Folders of frames and videos in one list, with or without the number of frames."
    names = [n if i % 2 else n.rsplit('.', 1)[0] for i, n in enumerate(KNOWN)]
    def line_of(i):
        name = changed(names[i], data.draw(st.sampled_from(['', 'far', 'slash', 'quotes', 'case'])))
        gap, count = data.draw(st.sampled_from([' ', ',', '\t', ', '])), not i % 2 and data.draw(st.booleans())
        return f'{name}{gap}2{gap}{LABELS[i]}' if count else f'{name}{gap}{LABELS[i]}'
    parts = dict(train=order[:cut], test=order[cut:])
    for part, some in parts.items(): written(folder/'frames'/f'{part}.csv', '\n'.join(map(line_of, some)))
    found = answer(lambda: official_splits('lists', with_frames, annotations=folder/'frames', val=0), folder)
    if {LABELS[i] for i in parts['train']} == {0, 1}: assert found
    if found: assert [found[0].paths, found[2].paths] == [[names[i] for i in p] for p in parts.values()]

@fuzz
@given(lines=st.lists(st.tuples(st.one_of(st.sampled_from(KNOWN), odd_text), st.sampled_from(' ,\t;x'),
                                number), max_size=6),
       content=st.one_of(st.none(), st.binary(max_size=100)), missing=st.sampled_from([0, .5, 1, 99]))
def test_list_data_set_of_anything(folder, on_disk, lines, content, missing):
    if content is None: content = '\n'.join(a + gap + b for a, gap, b in lines)
    for part in ('train', 'test'): written(folder/'any notes'/f'{part}.txt', content)
    call = lambda: official_splits('lists', on_disk, annotations=folder/'any notes', allow_missing=missing)
    assert answer(call, folder) is None # each video is in both parts

# Official files

def read(name, folder):
    about = OFFICIAL_SETS[name]
    return about.read(Annotations(folder, about), None, 1)

@st.composite
def mutated(draw, lines):
    "Lines with a few of them taken out, doubled, cut, or replaced, as text or bytes."
    lines = list(lines)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        if not lines: break
        i = draw(st.integers(0, len(lines) - 1))
        what = draw(st.sampled_from(['out', 'twice', 'cut', 'new', 'digits']))
        if what == 'out': lines.pop(i)
        if what == 'twice': lines.insert(i, lines[i])
        if what == 'cut': lines[i] = lines[i][:draw(st.integers(0, 8))]
        if what == 'new': lines[i] = draw(odd_text)
        if what == 'digits': lines[i] = re.sub(r'\d+$', draw(number).replace('\\', ''), lines[i])
    content = '\n'.join(lines).encode(draw(codec), 'replace')
    return content[:draw(st.integers(0, len(content)))] if draw(st.sampled_from(range(20))) == 19 else content

def lines_in(content):
    "Lines of bytes that can be read as UTF-8 text, or None."
    try: return [l.strip() for l in re.split('[\r\n]', content.decode('utf-8-sig')) if l.strip()]
    except UnicodeDecodeError: return None

UCF = ['Run', 'Walk dog', 'ÄPFEL']
UCF_LISTS = dict(train=[f'{c}/v_{c}_g0{i}_c01.avi {n}' for n, c in enumerate(UCF, 1) for i in (1, 2)],
                 test=[f'{c}/v_{c}_g03_c01.avi' for c in UCF])

@fuzz
@given(classes=mutated([f'{n} {c}' for n, c in enumerate(UCF, 1)]),
       train=mutated(UCF_LISTS['train']), test=mutated(UCF_LISTS['test']))
def test_ucf101(some_taken, folder, classes, train, test):
    at = folder/'ucf'
    for name, content in {'classInd': classes, 'trainlist01': train, 'testlist01': test}.items():
        written(at/f'{name}.txt', content)
    files = [at/f'{n}.txt' for n in ('classInd', 'trainlist01', 'testlist01')]
    found = answer(lambda: read('ucf101', at), *files)
    if not found: return
    names, rows = found
    assert len(names) == len(lines_in(classes))
    for part, content in dict(train=train, test=test).items():
        assert len(rows[part]) == len(lines_in(content))
        for (name,), label in rows[part]: assert name.split('/')[0] == names[label]

@fuzz
@given(a=mutated(['a b.avi 1', '(x) [y].avi 2 ', 'c.avi 0', 'd.avi 1']), b=mutated(['ü.avi 1', 'e.avi 2']))
def test_hmdb51(some_taken, folder, a, b):
    at = folder/'hmdb'
    for name, content in dict(run=a, walk_dog=b).items(): written(at/f'{name}_test_split1.txt', content)
    found = answer(lambda: read('hmdb51', at), at/'run_test_split1.txt', at/'walk_dog_test_split1.txt')
    if not found: return
    names, rows = found
    assert names == ['run', 'walk_dog']
    for part, use in dict(train='1', test='2').items():
        pairs = [(c, *l.rsplit(None, 1)) for c, content in zip(names, (a, b)) for l in lines_in(content)]
        wanted = [(f'{c}/{clip}', names.index(c)) for c, clip, used in pairs if used == use]
        assert [(name, label) for (name,), label in rows[part]] == wanted

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text)
any_json = st.recursive(scalars, lambda inner: st.one_of(
    st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)), max_leaves=8)
ssv2_id = st.one_of(st.integers(0, 99).map(str), st.integers(0, 99), any_json)
templates = st.sampled_from(['Closing [something]', 'Moving [part] of [something]'])
entry = st.fixed_dictionaries({}, optional=dict(id=ssv2_id, template=st.one_of(templates, any_json)))
good_entry = st.fixed_dictionaries(dict(id=st.integers(0, 9999).map(str), template=templates))
good_entries = st.lists(good_entry, min_size=1, max_size=4)
entries = one_of(*[good_entries] * 6, st.lists(entry, max_size=4), st.lists(any_json, max_size=3), any_json)
SSV2_LABELS = {'Closing something': '0', 'Moving part of something': '1'}
any_number = st.one_of(st.integers(0, 2), number, any_json)
some_labels = st.dictionaries(st.sampled_from([*SSV2_LABELS, 'x']), any_number)
ssv2_labels = one_of(*[st.just(SSV2_LABELS)] * 6, some_labels, any_json)

@fuzz
@given(labels=ssv2_labels, train=entries, test=entries, cut=st.sampled_from([None] * 9 + [3]))
def test_ssv2(some_taken, folder, labels, train, test, cut):
    at, files = folder/'ssv2', dict(labels=labels, train=train, validation=test)
    for name, content in files.items(): written(at/f'{name}.json', json.dumps(content)[:cut])
    found = answer(lambda: read('ssv2', at), *[at/f'{n}.json' for n in files])
    if not found: return
    names, rows = found
    assert {c: str(i) for i, c in enumerate(names)} == {c: str(int(n)) for c, n in labels.items()}
    for part, content in dict(train=train, test=test).items():
        wanted = [((str(v['id']).strip(),), re.sub(r'[\[\]]', '', v['template'])) for v in content]
        assert [(n, names[l]) for n, l in rows[part]] == wanted

COLUMNS = ['label', 'youtube_id', 'time_start', 'time_end', 'split']
cell = st.one_of(st.sampled_from(['run', 'walk, fast', 'a"b', '-_xyz', '3']), number, odd_text)
times = map(st.just, ('1', '2.0', 'train'))
good_row = st.tuples(st.sampled_from(['run', 'walk, fast']), st.integers(0, 9999).map(str), *times)
good_rows = st.lists(good_row, min_size=1, max_size=4)
odd_rows = st.lists(st.one_of(st.lists(cell, max_size=6), good_row), max_size=4)
rows_of_cells = one_of(*[good_rows] * 6, odd_rows)

@fuzz
@given(header=one_of(*[st.just(COLUMNS)] * 6, st.lists(st.sampled_from(COLUMNS))),
       train=rows_of_cells, test=rows_of_cells, order=mutated(['0,run', '1,"walk, fast"']),
       raw=one_of(*[st.none()] * 6, odd_text, st.binary(max_size=60)))
def test_kinetics(some_taken, folder, header, train, test, raw, order):
    at = folder/'kinetics'
    for name, rows in dict(train=train, val=test).items():
        out = io.StringIO()
        csv.writer(out).writerows([header, *rows])
        written(at/f'{name}.csv', out.getvalue() if raw is None else raw)
    written(at/'k400_labels_to_id.csv', order)
    found = answer(lambda: read('kinetics', at), at/'train.csv', at/'val.csv', at/'k400_labels_to_id.csv')
    if not found: return
    names, parts = found
    assert header == COLUMNS and raw is None
    for part, rows in dict(train=train, test=test).items():
        wanted = [(r[1].strip(), r[0].strip()) for r in rows if r]
        assert [(ids[-1], names[label]) for ids, label in parts[part]] == wanted

# Class folders

FOLDERS = 'a', 'B', 'č x', '.hidden', 'train', 'val', 'Validation', 'test', 'dev', 'x.mp4', '\udce9'
FILES = ('1.mp4', '2.AVI', '3.mts', '4.jpg', '5.jpg', 'notes.txt', '.6.mp4', 'no ending', '7.mp4.part',
         '\udce9.ts')
a_file = st.tuples(st.lists(st.sampled_from(FOLDERS), max_size=4), st.sampled_from(FILES))
trees = st.sets(a_file.map(lambda t: '/'.join([*t[0], t[1]])), max_size=6)
PARTS = [f'{p}/{c}/{i}.mp4' for p in ('train', 'test', 'val') for c in 'ac' for i in range(3)]

def is_wanted(path):
    hidden = any(p.startswith('.') for p in path.split('/'))
    return not hidden and os.path.splitext(path)[1].lower() in SUFFIXES

@contextmanager
def grown(files):
    "A folder with these files, each of its own content, without those whose name is another's folder."
    folders = {'/'.join(f.split('/')[:i]) for f in files for i in range(1, f.count('/') + 1)}
    files = sorted(files - folders)
    with tempfile.TemporaryDirectory() as root:
        for f in files: written(Path(root)/f, os.fsencode(f))
        yield Path(root), [f for f in files if is_wanted(f)]

@fuzz
@given(files=one_of(trees, *[trees.map(lambda files: {*files, 'a/8.mp4', 'B/8.mp4'})] * 3))
def test_class_tree(some_taken, files):
    "Every video below a class folder is found, under its class."
    with grown(files) as (root, wanted):
        found = answer(lambda: class_tree(root), root)
        videos = sorted(f for f in wanted if '/' in f)
        if found and videos: assert found.paths == videos
        elif found: assert all((root/p).is_dir() for p in found.paths) # folders of frames
        if found: assert [found.classes[l] for l in found.labels] == [f.split('/')[0] for f in found.paths]

@fuzz
@given(files=trees, more=one_of(st.sets(st.sampled_from(PARTS)), *[st.just(set(PARTS))] * 3))
def test_folder_splits(some_taken, files, more):
    "A folder of parts or of classes loses no video, and none is in two parts."
    with grown(files | more) as (root, wanted):
        found = answer(lambda: folder_splits(root), root)
        if not found: return
        paths = sorted(str((v.root/p).relative_to(root)) for v in found for p in v.paths)
        if any((root/p).is_dir() for p in paths): return # folders of frames
        assert paths == [f for f in wanted if f.count('/') > has_parts(root)]
