"Runs that are named by what they saw, and that survive what happens to their files."
import errno, json, math, os, re, shutil, signal, string, subprocess, sys
from dataclasses import fields, replace
from pathlib import Path

import accelerate, numpy as np, pytest
from accelerate.state import AcceleratorState, GradientState
from hypothesis import HealthCheck, given, settings, strategies as st

from apt_nb import identity, run as runs
from apt_nb.config import CHOICES, Config, preset
from apt_nb.core import DamagedFile, atomic, cache_root
from apt_nb.datasets import DatasetError
from apt_nb.identity import digests, digests_file, file_digest
from apt_nb.moving_shapes import moving_shapes
from apt_nb.run import config_hash, environment, read_record, run, run_folder
from apt_nb.sweep import as_run, record_digest, shipped_records, temporary_cache
from apt_nb.training import HIDDEN, make_accelerator, read_checkpoint
from apt_nb.video import VideoError, write_mp4
from common import TAKEN, some_taken

SLOW = pytest.mark.skipif(not os.environ.get('APT_NB_SLOW'), reason='set APT_NB_SLOW=1')

def write_video(path, seed):
    "Twelve frames of noise."
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mp4(path, np.random.default_rng(seed).integers(0, 255, (12, 36, 40, 3)).astype(np.uint8), 12)

@pytest.fixture(scope='module')
def original(tmp_path_factory):
    "Two classes: four videos each to train on, two to validate, two to test on."
    root = tmp_path_factory.mktemp('videos')
    for i, (part, n) in enumerate(dict(train=4, val=2, test=2).items()):
        for c in 'ab':
            for k in range(n): write_video(root/part/c/f'{k}.mp4', [i, ord(c), k])
    return root

@pytest.fixture
def cfg(original, tmp_path, monkeypatch):
    "Settings of two short epochs, on videos and in a cache of one's own."
    monkeypatch.setenv('APT_NB_CACHE', str(tmp_path/'cache'))
    shutil.copytree(original, tmp_path/'videos')
    own = dict(data=str(tmp_path/'videos'), weights='', n_prompts=2)
    return preset('smoke', **own, batch_size=4, views=1, test_crops=1)

def untimed(record): return {k: v for k, v in record.items() if k != 'timing'}

def flip(path, at=-1):
    "Change one bit of a file."
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)

def leftovers(folder): return sorted(p.name for p in Path(folder).rglob('.*') if not p.name.endswith('.lock'))

# the name

def test_name_takes_content(cfg):
    "One bit of one video is another name, even with the size and time of before. A moved folder is the same."
    name, video = config_hash(cfg), Path(cfg.data)/'test/b/1.mp4'
    before = video.stat()
    for at in (-1, 40, len(video.read_bytes()) // 2):
        flip(video, at)
        os.utime(video, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert config_hash(cfg) != name, at
        flip(video, at)
        assert config_hash(cfg) == name
    moved = Path(cfg.data).rename(Path(cfg.data).with_name('moved'))
    assert config_hash(replace(cfg, data=str(moved))) == name

def test_second_look_reads_nothing(cfg, monkeypatch):
    "Digests are kept from process to process, for as long as a file is left alone."
    videos, read = sorted(Path(cfg.data).rglob('*.mp4')), []
    monkeypatch.setattr(identity, 'SETTLED', -1)
    reading = lambda p, whole=False: read.append(p) or file_digest(p, whole)
    monkeypatch.setattr(identity, 'file_digest', reading)
    first = digests(videos)
    assert digests(videos) == first and len(read) == len(videos)
    videos[3].touch()
    assert digests(videos) == first and len(read) == len(videos) + 1

def test_processes_look_at_once(cfg):
    "Several processes share the file of digests."
    code = ('import sys; from apt_nb import identity; identity.SETTLED = -1\n'
            'for _ in range(20): found = identity.digests(sys.argv[1:])\nprint(*found.values())')
    videos = sorted(Path(cfg.data).rglob('*.mp4'))
    start = lambda: subprocess.Popen([sys.executable, '-c', code, *map(str, videos)], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)
    for p in [start() for _ in range(3)]:
        said, errors = p.communicate(timeout=60)
        assert (said.split(), errors) == ([file_digest(v) for v in videos], '')

@pytest.mark.parametrize('damage', ['nonsense', 'a folder', 'a cut file', 'no permission'])
def test_damaged_digests(cfg, damage, capfd):
    "A file of digests that cannot be used costs time and a sentence, and nothing else."
    name, file = config_hash(cfg), digests_file()
    if damage == 'nonsense': file.write_bytes(b'nonsense' * 999)
    if damage == 'a cut file': file.write_bytes(file.read_bytes()[:4000])
    if damage == 'a folder': file.unlink(); file.mkdir()
    if damage == 'no permission': file.unlink(); file.symlink_to('/proc/nothing/digests')
    assert config_hash(cfg) == name
    assert re.fullmatch(r'(.*digests.sqlite cannot be used \(.*\): files are read again. Remove it.*\n)+',
                        capfd.readouterr().err)

# files that change during a run

@pytest.mark.parametrize('part', ['train', 'test'])
@pytest.mark.parametrize('what', ['replaced', 'removed', 'cut'])
def test_video_changes(cfg, part, what):
    "A changed video ends the run by its name. With the video back, the run ends as if nothing had happened."
    video, name, keep = Path(cfg.data)/part/'a/0.mp4', config_hash(cfg), replace(cfg, keep_decoded=False)
    content = video.read_bytes()
    def change(step, n):
        if step < n: return
        if what == 'replaced': flip(video)
        if what == 'removed': video.unlink()
        if what == 'cut': video.write_bytes(content[:200])
    with pytest.raises(DatasetError) as e: run(keep, progress=change)
    assert f'{part}/a/0.mp4' in str(e.value) and f'run {name} changed' in str(e.value)
    with pytest.raises((DatasetError, VideoError)): run(keep, progress=False, name=name)
    folder = cache_root()/'runs/smoke'/name
    assert not (folder/'record.json').exists()
    video.write_bytes(content)
    again = run(keep, progress=False)
    with temporary_cache(): assert untimed(run(keep, progress=False)) == untimed(again)

def test_names_are_passed_on(cfg):
    "Nothing is trained under a name that was looked up before the videos changed."
    name = config_hash(cfg)
    flip(Path(cfg.data)/'train/a/0.mp4')
    with pytest.raises(DatasetError, match=f'run {name} changed after it got this name'):
        run(cfg, progress=False, name=name)
    assert not list(cache_root().glob('runs/*/*/*.*'))

# the environment

def accelerates_variables():
    "Names that accelerate's source reads or sets."
    files = Path(accelerate.__file__).parent.rglob('*.py')
    name = re.compile(rf'"((?:{"|".join(HIDDEN)})[A-Z0-9_]+)"')
    return sorted({n for f in files for n in name.findall(f.read_text(encoding='utf-8'))})

def fresh_accelerator():
    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    acc = make_accelerator()
    s, names = acc.state, ('fsdp_plugin', 'deepspeed_plugins', 'megatron_lm_plugin', 'parallelism_config')
    return (acc.gradient_accumulation_steps, acc.mixed_precision, acc.device, acc.num_processes,
            acc.split_batches, acc.dataloader_config, acc.step_scheduler_with_optimizer,
            s.distributed_type, s.dynamo_plugin.backend, *(getattr(s, n, None) for n in names))

def test_accelerates_variables(monkeypatch):
    "No variable that accelerate reads changes the accelerator, but the one for the CPU."
    usual, names = fresh_accelerator(), accelerates_variables()
    assert len(names) > 50 and 'ACCELERATE_GRADIENT_ACCUMULATION_STEPS' in names
    for n in names:
        if n == 'ACCELERATE_USE_CPU': continue
        for value in ('true', '4', 'fp16', 'inductor'):
            monkeypatch.setenv(n, value)
            assert fresh_accelerator() == usual, f'{n}={value}'
            monkeypatch.delenv(n)
    AcceleratorState._reset_state(True)

def test_environment_changes_no_run(cfg, monkeypatch):
    "The same losses with all of accelerate's variables set."
    plain = run(replace(cfg, clip_grad=1.), progress=False)
    for n in accelerates_variables():
        value = {'STEPS': '4', 'PRECISION': 'fp16', 'BACKEND': 'inductor'}.get(n.split('_')[-1], 'true')
        if n != 'ACCELERATE_USE_CPU': monkeypatch.setenv(n, value)
    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    with temporary_cache(): assert untimed(run(replace(cfg, clip_grad=1.), progress=False)) == untimed(plain)

def test_rounding_variables(cfg, monkeypatch):
    "Variables that change how torch rounds are in the record; paths and thread counts are not."
    for n in ('NVIDIA_TF32_OVERRIDE', 'TORCH_ALLOW_TF32_CUBLAS_OVERRIDE', 'ATEN_CPU_CAPABILITY', 'MKL_CBWR',
              'ONEDNN_MAX_CPU_ISA', 'DNNL_DEFAULT_FPMATH_MODE', 'CUBLASLT_WORKSPACE_SIZE',
              'TORCH_CUDNN_SDPA_ENABLED', 'TIMM_FUSED_ATTN'):
        monkeypatch.setenv(n, '1')
        assert environment(cfg)['variables'][n] == '1'
    monkeypatch.setenv('CUBLAS_WORKSPACE_CONFIG', ':4096:8') # what `reproducible` sets
    monkeypatch.setenv('CUDNN_LOGDEST_DBG', '/home/me')
    without = {'CUBLAS_WORKSPACE_CONFIG', 'CUDNN_LOGDEST_DBG', 'OMP_NUM_THREADS'}
    assert not without & environment(cfg)['variables'].keys()

USUAL = '~/.cache/apt_nb'

PLACES = {'': USUAL, ' ': USUAL, '~/x': '~/x', 'x': 'x', './x': 'x'}

@pytest.mark.parametrize('given, expected', PLACES.items())
def test_cache_root(given, expected, monkeypatch):
    "One place decides where the cache is."
    monkeypatch.setenv('APT_NB_CACHE', given)
    home = Path.home() if expected.startswith('~') else Path.cwd()
    assert cache_root() == home/expected.removeprefix('~/')

# no prompts

def test_no_prompts(cfg):
    "A run without prompts ends, and its record is JSON."
    record = run(replace(cfg, n_prompts=0), progress=False)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert not {'live_k', 'live_v'} & record['curves'][-1].keys()
    assert record['n_tuned'] == run(replace(cfg, method='linear'), progress=False)['n_tuned']

@SLOW
@pytest.mark.parametrize('n_prompts', [0, 2])
def test_two_processes(cfg, n_prompts, tmp_path):
    "Two processes train with prompts and without."
    script = tmp_path/'run.py'
    own = dict(data=cfg.data, weights='', n_prompts=n_prompts, batch_size=4)
    script.write_text('from apt_nb.config import preset\nfrom apt_nb.run import run\n'
                      f'run(preset("smoke", **{own}), False)')
    command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2', '--standalone', script]
    subprocess.run(command, env=os.environ | dict(ACCELERATE_USE_CPU='1'), check=True, timeout=120)
    assert list(cache_root().glob('runs/smoke/*/record.json'))

def test_not_finite(cfg, tmp_path):
    "A number that JSON cannot hold is named, and no file is left."
    with pytest.raises(ValueError, match='record.json is not written: record.curves.1.loss is not a finite'):
        runs.write_record(dict(a=1., curves=[{}, dict(loss=math.nan)]), tmp_path)
    assert not list(tmp_path.glob('*record*'))

# whole files

def test_atomic_killed(tmp_path):
    "A killed writer leaves the old file, and its unfinished one goes with the next. A living writer's stays."
    file = tmp_path/'last.pt'
    file.write_text('old')
    code = ('import sys, time; from apt_nb.core import atomic\n'
            'def write(p): p.write_text("half"); print("writing", flush=True); time.sleep(600)\n'
            'atomic(sys.argv[1], write)')
    def start():
        p = subprocess.Popen([sys.executable, '-c', code, str(file)], stdout=subprocess.PIPE, text=True)
        assert p.stdout.readline() == 'writing\n'
        return p
    dead, alive = start(), start()
    dead.kill(); dead.wait()
    (tmp_path/f'.last.pt.{dead.pid}').touch() # as earlier versions left it
    assert file.read_text() == 'old' and len(leftovers(tmp_path)) == 3
    atomic(file, lambda p: p.write_text('new'))
    assert file.read_text() == 'new' and [str(alive.pid) in n for n in leftovers(tmp_path)] == [True]
    alive.kill(); alive.wait()

def test_atomic_reaches_the_disk(tmp_path, monkeypatch):
    "The file is on the disk before it gets its name, and then its folder."
    order = []
    monkeypatch.setattr('apt_nb.core.to_disk', lambda p: order.append(Path(p).name))
    monkeypatch.setattr('os.replace', lambda a, b: order.append('renamed') or os.rename(a, b))
    atomic(tmp_path/'a', lambda p: p.write_text('x'))
    assert [order[0].startswith('.a.'), *order[1:]] == [True, 'renamed', tmp_path.name]

@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_atomic_errors(tmp_path, number):
    "What the disk refuses is one sentence that names the file."
    def write(p): raise OSError(number, os.strerror(number), str(p))
    with pytest.raises(OSError, match=r'/a cannot be written, .*: .*\. Then make the same call again$') as e:
        atomic(tmp_path/'a', write)
    assert e.value.errno == number and not leftovers(tmp_path)

@pytest.fixture
def small_disk(tmp_path):
    "A disk of one megabyte."
    disk = tmp_path/'disk'
    disk.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', str(disk)]
    if not shutil.which('mount') or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip('cannot mount a disk')
    yield disk
    subprocess.run(['umount', '-l', str(disk)], check=True)

def test_full_disk(cfg, small_disk, monkeypatch):
    "A full disk stops a run with one sentence, wherever it is. With room again the same call goes on."
    monkeypatch.setenv('APT_NB_CACHE', str(small_disk/'cache'))
    tiny, stopped = preset('smoke', n_train=2, n_val=1, n_test=1, batch_size=4, n_prompts=2), []
    for kilobytes in (8, 40, None, 8, 60):
        (small_disk/'fill').unlink(missing_ok=True)
        if kilobytes is None: runs.benchmark_root(tiny)
        free = shutil.disk_usage(small_disk).free - 1024 * (kilobytes or 0)
        (small_disk/'fill').write_bytes(bytes(max(0, free)))
        with pytest.raises(OSError) as e: run(tiny, progress=False)
        sentence = r'/\S+ cannot be written, the disk is full: free some space\. Then make the same call .*'
        assert kilobytes is None or re.fullmatch(sentence, str(e.value))
        stopped.append(Path(str(e.value).split()[0]).suffix)
    (small_disk/'fill').unlink()
    record = run(tiny, progress=False)
    assert stopped[:2] == ['.mp4'] * 2 and stopped[3:] == ['.pt'] * 2 and not leftovers(small_disk)
    monkeypatch.setenv('APT_NB_CACHE', str(small_disk.parent/'other'))
    assert untimed(run(tiny, progress=False)) == untimed(record)

# damaged files

def interrupted(cfg):
    "A run that stopped in its second epoch: its folder."
    def stop(step, n):
        if step > n / 2: raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): run(cfg, progress=stop)
    return run_folder(cfg)

def damages(content):
    "A file's content, damaged in many ways."
    rng = np.random.default_rng(0)
    yield from (b'', b'text', content[:-1], content[1:], content[:len(content) // 2], content + b'x')
    for at in rng.integers(len(content), size=24):
        yield content[:at] + bytes([content[at] ^ 1 << int(rng.integers(8))]) + content[at + 1:]

def test_damaged_checkpoint(cfg, capsys):
    "A checkpoint with another byte is set aside, and the run starts anew. Its record is the same."
    with temporary_cache(): expected = untimed(run(cfg, progress=False))
    folder = interrupted(cfg)
    content = (folder/'last.pt').read_bytes()
    for damaged in damages(content):
        (folder/'last.pt').write_bytes(damaged)
        with pytest.raises(DamagedFile, match='last.pt is damaged'): read_checkpoint(folder/'last.pt')
    capsys.readouterr()
    assert untimed(run(cfg, progress=False)) == expected
    said = capsys.readouterr().out
    assert f'{folder}/last.pt is damaged' in said and 'now last.pt.damaged' in said
    assert (folder/'last.pt.damaged').read_bytes() == damaged

@pytest.mark.parametrize('name', ['record.json', 'tuned.safetensors'])
@pytest.mark.parametrize('what', ['', 'cut', 'gone'])
def test_damaged_results(cfg, name, what, capsys):
    "A finished run that lacks a whole file is trained again, and says so."
    record, file = run(cfg, progress=False), run_folder(cfg)/name
    content = file.read_bytes()
    if what == 'gone': file.unlink()
    else: file.write_bytes(content[:-9] if what else b'')
    capsys.readouterr()
    assert untimed(run(cfg, progress=False)) == untimed(record)
    assert file.exists() and (file.with_name(f'{name}.damaged').exists() or what == 'gone')
    assert (name in capsys.readouterr().out) or (what, name) == ('gone', 'record.json')

@pytest.mark.parametrize('content', ['', '{', '[]', '{"version": NaN}', '\0', None])
def test_damaged_settings(tmp_path, content, capsys):
    "The benchmark with a damaged settings.json, or without a clip, is completed; its clips are the same."
    root = moving_shapes(tmp_path/'a', train=1, val=0, test=0)
    clip = next(root.rglob('*.mp4'))
    before, text = clip.read_bytes(), (root/'settings.json').read_text()
    if content is None: clip.unlink()
    else: (root/'settings.json').write_text(content)
    moving_shapes(root, train=1, val=0, test=0)
    assert (clip.read_bytes(), (root/'settings.json').read_text()) == (before, text)
    assert content is None or 'settings.json is damaged' in capsys.readouterr().out

def test_changed_clip(tmp_path, capsys):
    "A clip of the benchmark with another byte is set aside and written again."
    root = moving_shapes(tmp_path/'a', train=1, val=0, test=0)
    clip = next(root.rglob('*.mp4'))
    before = clip.read_bytes()
    flip(clip, len(before) // 2)
    moving_shapes(root, train=1, val=0, test=0)
    assert clip.read_bytes() == before and f'{clip} is damaged' in capsys.readouterr().out

# workers

@pytest.mark.parametrize('part', ['train', 'val', 'test'])
def test_bad_video_in_a_worker(cfg, part, capfd):
    "A bad video that a worker reads is named in the first line of the error, which has no traceback."
    bad = Path(cfg.data)/part/'b/0.mp4'
    bad.write_bytes(b'no video')
    with pytest.raises(VideoError) as e: run(replace(cfg, workers=1, keep_decoded=False), progress=False)
    assert str(e.value).startswith(str(bad)) and 'Traceback' not in str(e.value)
    assert e.value.__suppress_context__

def test_killed_worker(cfg, monkeypatch):
    "A worker that is killed is one sentence."
    dies = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    monkeypatch.setattr('apt_nb.datasets.ClipDataset.__getitem__', dies)
    with pytest.raises(ChildProcessError, match='^a process that reads videos .*: workers=0 needs none$'):
        run(replace(cfg, workers=1, keep_decoded=False), progress=False)

# nobody's input

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2**70, 2**70) | st.floats() | st.text(max_size=8),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=8), x, max_size=3), max_leaves=8)
VALUES = JSON | st.sampled_from([c for cs in CHOICES.values() for c in cs]) | st.binary(max_size=3)
NAMES = st.text(string.ascii_lowercase + '_', min_size=1)
FUZZ = settings(max_examples=int(os.environ.get('APT_NB_EXAMPLES', 200)), deadline=None,
                suppress_health_check=list(HealthCheck))

@FUZZ
@given(st.dictionaries(st.sampled_from([f.name for f in fields(Config)]), VALUES, max_size=4))
def test_any_settings(over):
    "Settings are right, or a ValueError names one of the fields."
    profile = str(over.pop('profile', 'smoke'))
    try: assert isinstance(preset(profile, **over), Config)
    except ValueError as e: assert any(n in str(e) for n in [*over, 'profile'])

@FUZZ
@given(st.sampled_from(['smoke', 'demo', 'paper']), st.dictionaries(NAMES, VALUES, min_size=1, max_size=2))
def test_any_names(profile, over):
    "A setting that does not exist is named."
    unknown = over.keys() - {f.name for f in fields(Config)}
    if unknown:
        with pytest.raises(ValueError, match='there is no setting|profile'): preset(profile, **over)

def changed(data, found):
    "`found` with one part removed or replaced, at any depth."
    if not isinstance(found, dict) or not found or data.draw(st.integers(0, 3)) == 0: return data.draw(JSON)
    key = data.draw(st.sampled_from(sorted(found)))
    if data.draw(st.booleans()): return {k: v for k, v in found.items() if k != key}
    return found | {key: changed(data, found[key])}

@pytest.fixture(scope='module')
def finished_record(original, tmp_path_factory):
    with pytest.MonkeyPatch.context() as m:
        m.setenv('APT_NB_CACHE', str(tmp_path_factory.mktemp('finished')))
        short = dict(n_prompts=2, batch_size=4, epochs=1, warmup_epochs=0.)
        return run(preset('smoke', data=str(original), weights='', **short), progress=False)

@FUZZ
@given(data=st.data())
def test_any_record(some_taken, finished_record, tmp_path_factory, data):
    "A record is right, or it is set aside."
    folder = tmp_path_factory.mktemp('any')
    parts = data.draw(st.integers(0, 9))
    kept = parts > 7
    text = json.dumps(finished_record if kept else changed(data, finished_record)) if parts else data.draw(st.text(max_size=20))
    (folder/'record.json').write_text(text, encoding='utf-8', errors='surrogatepass')
    record = read_record(folder)
    TAKEN.append(record is not None)
    if kept: assert record == finished_record
    if record is None: assert (folder/'record.json.damaged').exists()
    else: assert math.isfinite(record['test']['top1']) and record['timing']['started'] + record['hash']

@FUZZ
@given(data=st.data())
def test_any_made_by(finished_record, tmp_path_factory, data):
    "Shipped records are right, or a sentence says that they are not used."
    folder = tmp_path_factory.mktemp('clone')
    (folder/'figures/smoke/records').mkdir(parents=True)
    own, right = finished_record['hash'], record_digest(as_run(finished_record))
    made_by = dict(code={}, records={own: right}, diverged={'y': 'the loss is nan'})
    contents = {'made_by.json': made_by, 'records/01.json': [finished_record]}
    which = data.draw(st.sampled_from([*contents, 'neither']))
    if which == 'made_by.json': contents[which] = changed(data, made_by)
    if which == 'records/01.json': contents[which] = [changed(data, finished_record)]
    for name, content in contents.items(): (folder/'figures/smoke'/name).write_text(json.dumps(content))
    with pytest.MonkeyPatch.context() as m:
        m.setattr('apt_nb.sweep.DECIDING', ())
        found = shipped_records('smoke', folder)
    listed = contents['made_by.json']
    listed = listed.get('records') if isinstance(listed, dict) else None
    if which == 'neither': assert found.keys() == {own, 'y'}
    if isinstance(found.get(own), dict): # only if it is listed, and is what was listed
        assert isinstance(listed, dict) and listed.get(own) == record_digest(found[own]) == right

@FUZZ
@given(data=st.data())
def test_any_benchmark_settings(tmp_path_factory, data):
    "A settings.json is that of this benchmark, damaged, or that of another one, which is never overwritten."
    root = tmp_path_factory.mktemp('shapes')
    made = dict(version=1, train=0, val=0, test=0, seed=0)
    text = json.dumps(changed(data, made)) if data.draw(st.booleans()) else data.draw(st.text(max_size=20))
    (root/'settings.json').write_text(text, encoding='utf-8', errors='surrogatepass')
    try: moving_shapes(root, train=0, val=0, test=0)
    except ValueError as e: assert str(root/'settings.json') in str(e) and 'other settings' in str(e)
    else: assert json.loads((root/'settings.json').read_text())['version'] == 1
