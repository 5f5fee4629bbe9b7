"""Frame i of a video is the i-th that PyAV decodes from the start, to the bit, in whatever way you ask.

About 290 small files of all kinds are written, and read back. `APT_NB_MATRIX=large` makes them longer, asks
in more ways, and damages more copies."""
import os, struct, warnings
from fractions import Fraction

import av, numpy as np, pytest
from av.stream import Disposition

from apt_nb import video
from apt_nb.video import Video, VideoError, dense_indices, examine, test_indices as clip_indices

LARGE = os.environ.get('APT_NB_MATRIX') == 'large'
N = 120 if LARGE else 44
av.logging.set_level(av.logging.PANIC)

# ---- pictures and files

def pictures(n=N, w=64, h=48, seed=0):
    "Frames (n, h, w, 3) of a texture that moves, under a block whose grey is the frame's number."
    y, x = np.mgrid[:h, :w]
    noise = np.random.default_rng(seed).integers(0, 60, (h, w, 3))
    frames = np.empty((n, h, w, 3), np.uint8)
    for i in range(n):
        frames[i] = (60 + 2 * x[..., None] + 3 * y[..., None] + noise) % 160
        frames[i] = np.roll(frames[i], 3 * i, 1)
        frames[i, :h // 2, :w // 3] = (i * 5) % 230
    return frames

def new_track(c, codec, w=64, h=48, pix='yuv420p', rate=25, **options):
    "A video track in `c`, encoded on one thread."
    dashed = lambda k: k.replace('_', '-') if k.startswith('x26') else k
    options = {'threads': '1'} | {dashed(k): str(v) for k, v in options.items()}
    s = c.add_stream(codec, rate=rate, options=options)
    s.width, s.height, s.pix_fmt = w, h, pix
    return s

def write(path, codec, frames=None, format=None, pix='yuv420p', times=None, muxer=None, **options):
    "A file with one track; `times` are presentation times in 1/25 s."
    frames = pictures() if frames is None else frames
    target = path if hasattr(path, 'write') else str(path)
    with av.open(target, 'w', format=format, options=muxer or {}) as c:
        s = new_track(c, codec, frames.shape[2], frames.shape[1], pix, **options)
        for i, a in enumerate(frames):
            f = av.VideoFrame.from_ndarray(a, format='rgb24')
            f.pts, f.time_base = i if times is None else int(times[i]), Fraction(1, 25)
            c.mux(s.encode(f))
        c.mux(s.encode())
    return path

def piped(path, codec, format, **options):
    "Written to a pipe: nothing in the header can be corrected at the end."
    class Pipe(bytearray):
        def write(self, data):
            self.extend(data)
            return len(data)
    pipe = Pipe()
    write(pipe, codec, format=format, **options)
    path.write_bytes(pipe)
    return path

def packets_of(path):
    "(packets, template) of the first track of a file that stays open."
    c = av.open(str(path), metadata_errors='ignore')
    s = c.streams.video[0]
    return [p for p in c.demux(s) if p.size], s

def remux(source, path, change=None, muxer=None, format=None):
    "Copy packets without encoding. `change(packets)` gives (bytes, pts, dts, key) of those to write."
    packets, s = packets_of(source)
    rows = change(packets) if change else [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in packets]
    with av.open(str(path), 'w', format=format, options=muxer or {}) as c:
        t = c.add_stream_from_template(s)
        for data, pts, dts, key in rows:
            p = av.Packet(data)
            p.pts, p.dts, p.is_keyframe, p.stream, p.time_base = pts, dts, key, t, s.time_base
            c.mux(p)
    return path

def as_stored(packets):
    "Presented in the order of storing, as tools do that know no B-frames (`-c copy` from AVI)."
    return [(bytes(p), i, i, p.is_keyframe) for i, p in enumerate(packets)]

# ---- the truth, without the code that is tested

def turned(a, matrix):
    "A picture under a display matrix (a, b, c, d), pixel by pixel."
    ma, mb, mc, md = matrix
    y, x = np.mgrid[:a.shape[0], :a.shape[1]]
    x2, y2 = ma * x + mc * y, mb * x + md * y
    x2, y2 = x2 - x2.min(), y2 - y2.min()
    out = np.empty((y2.max() + 1, x2.max() + 1, 3), a.dtype)
    out[y2, x2] = a
    return out

def truth(path, matrix=None):
    "All frames in the order in which PyAV decodes them; up to the first error."
    out = []
    with av.open(os.fspath(path), metadata_errors='ignore') as c:
        tracks = [s for s in c.streams.video if not s.disposition & Disposition.attached_pic]
        if not tracks or not tracks[0].codec_context: return out
        s = tracks[0]
        s.codec_context.thread_count = 1
        try:
            for f in c.decode(s):
                a = f.to_ndarray(format='rgb24')
                out.append(turned(a, matrix) if matrix else a)
        except av.FFmpegError: pass
    return out

# ---- the kinds of file

CASES = {}  # name: (function of a folder that writes the file, display matrix)

def kind(name, make, *args, matrix=None):
    "Register a kind of file, which `make(folder, *args)` writes."
    assert name not in CASES, name
    CASES[name] = lambda folder: make(folder, *args), matrix

def plain(name, file, codec, **options): kind(name, lambda d: write(d/file, codec, **options))

HEVC = 'log-level=none:keyint=10'
VP9 = dict(g=10, deadline='realtime', cpu_used=8)
HIDDEN = {'g': 20, 'auto-alt-ref': 1, 'lag-in-frames': 16, 'b': 20000}
SETTINGS = {'libx264': dict(g=10), 'libx265': dict(x265_params=HEVC), 'libvpx-vp9': VP9, 'libvpx': dict(g=10),
            'libsvtav1': {'g': 10, 'preset': 11, 'svtav1-params': 'lp=1'}}

# containers and codecs
BOXES = {
    'libx264': 'mp4 mov mkv avi flv ts m2ts nut 3gp mxf', 'libx265': 'mp4 mkv ts',
    'libvpx-vp9': 'webm mkv mp4 ivf', 'libvpx': 'webm ogv', 'libsvtav1': 'mp4 mkv webm ivf',
    'mpeg4': 'avi mp4 mkv mov', 'mjpeg': 'avi mov mkv', 'mpeg2video': 'mpg ts mkv mp4 avi',
    'mpeg1video': 'mpg avi', 'wmv2': 'wmv asf avi', 'msmpeg4': 'avi', 'h263p': 'avi', 'flv': 'flv',
    'ffv1': 'mkv avi', 'huffyuv': 'avi', 'prores_ks': 'mov mkv', 'cinepak': 'avi', 'gif': 'gif',
    'png': 'mov avi', 'qtrle': 'mov', 'rawvideo': 'avi', 'apng': 'apng'}
PIX = dict(mjpeg='yuvj420p', huffyuv='yuv422p', prores_ks='yuv422p10le', cinepak='rgb24', gif='rgb8',
           png='rgb24', qtrle='rgb24', rawvideo='bgr24', apng='rgb24')
for codec, boxes in BOXES.items():
    intra = codec in ('huffyuv', 'prores_ks', 'cinepak', 'gif', 'png', 'qtrle', 'rawvideo', 'apng', 'mjpeg')
    options = SETTINGS.get(codec, {} if intra else dict(g=10))
    pix = PIX.get(codec, 'yuv420p')
    for box in boxes.split(): plain(f'{codec} {box}', f'a.{box}', codec, pix=pix, **options)
plain('vp9 hidden frames', 'a.webm', 'libvpx-vp9', **HIDDEN)
plain('vp8 hidden frames', 'a.webm', 'libvpx', **HIDDEN)

# B-frames, copies between containers
for box in 'avi mp4 mkv'.split(): plain(f'mpeg4 B {box}', f'a.{box}', 'mpeg4', g=10, bf=2)
plain('mpeg2 B ts', 'a.ts', 'mpeg2video', g=10, bf=2)
plain('h264 B avi', 'a.avi', 'libx264', g=10, bf=3)

def copied(d, codec, bf, box, change, source='avi'):
    return remux(write(d/f'source.{source}', codec, g=10, bf=bf), d/f'copy.{box}', change)
for codec, bf in (('mpeg4', 0), ('mpeg4', 2), ('libx264', 0), ('libx264', 3)):
    for box in 'mp4 mkv avi'.split():
        kind(f'{codec} bf={bf}, copied from avi to {box}', copied, codec, bf, box, as_stored)
for box in 'mkv ts flv mov'.split():
    kind(f'h264, copied from mp4 to {box}', copied, 'libx264', 3, box, None, 'mp4')

FILLERS = b'\0\0\1\xb6\x55\x20', b'\0\0\1\xb6\x54\xc0'  # pictures that are 'not coded'
def with_fillers(packets):
    "A packet that shows nothing after every seventh."
    rows = []
    for i, p in enumerate(packets):
        rows.append((bytes(p), len(rows), len(rows), p.is_keyframe))
        if i % 7 == 3: rows.append((FILLERS[i % 2], len(rows), len(rows), False))
    return rows

def packed(packets):
    "DivX's packed bitstream: a P picture and the B picture before it in one packet, then a filler."
    mark, rows, at = b'\0\0\1\xb2DivX503b1393p', [], 0
    datas = [bytes(p) for p in packets]
    types = [data[data.find(b'\0\0\1\xb6') + 4] >> 6 for data in datas]  # 0: I, 1: P, 2: B
    while at < len(datas):
        pair = at + 1 < len(datas) and types[at + 1] == 2
        data = (b'' if types[at] else mark) + datas[at] + (datas[at + 1] if pair else b'')
        rows.append((data, len(rows), len(rows), packets[at].is_keyframe))
        if pair: rows.append((FILLERS[0], len(rows), len(rows), False))
        at += 1 + pair
    return rows

for box in 'avi mp4 mkv'.split():
    kind(f'mpeg4 with fillers, {box}', copied, 'mpeg4', 0, box, with_fillers)
    kind(f'mpeg4 packed, {box}', copied, 'mpeg4', 1, box, packed)

# keyframes that are no clean start, orders of showing
X264 = dict(open='keyint=10:min-keyint=10:open-gop=1:bframes=3',
            refresh='keyint=10:intra-refresh=1:bframes=0',
            pyramid='keyint=12:bframes=5:b-pyramid=normal:b-adapt=0', slices='slices=4:keyint=9',
            sliced='sliced-threads=1:threads=2:keyint=9', annexb='annexb=1:keyint=8', long='keyint=250')
X265 = dict(open='keyint=10:open-gop=1', closed='keyint=10:no-open-gop=1', cra='keyint=8:bframes=4',
            leading='keyint=10:min-keyint=10:open-gop=1:bframes=4', refresh='keyint=10:intra-refresh=1')
for box in ('mp4', 'mkv'):
    for name, params in X264.items(): plain(f'h264 {name} {box}', f'a.{box}', 'libx264', x264_params=params)
    for name, params in X265.items():
        plain(f'hevc {name} {box}', f'a.{box}', 'libx265', x265_params=f'log-level=none:{params}')

def from_third_key(packets):
    "The file from its third keyframe on, with the B-frames that need what was before."
    start = [i for i, p in enumerate(packets) if p.is_keyframe][2]
    shift = packets[start].dts
    return [(bytes(p), p.pts - shift, p.dts - shift, p.is_keyframe) for p in packets[start:]]
def cut(d, codec, **options):
    return remux(write(d/'source.mkv', codec, **options), d/'cut.mkv', from_third_key)
kind('h264, cut at an open keyframe', lambda d: cut(d, 'libx264', x264_params=X264['open']))
LEADING = f'log-level=none:{X265["leading"]}'
kind('hevc, cut at an open keyframe', lambda d: cut(d, 'libx265', x265_params=LEADING))

def joined(d):
    "Two encodings in one file, of which only the second has B-frames, under the first one's header."
    a = write(d/'a.mp4', 'libx264', g=10, bf=0)
    b = write(d/'b.mp4', 'libx264', x264_params=X264['pyramid'] + ':repeat-headers=1')
    (first, _), (second, _) = packets_of(a), packets_of(b)
    rows = [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in first]
    shift = rows[-1][1] - second[0].dts + 512 * 4
    rows += [(bytes(p), p.pts + shift, p.dts + shift, p.is_keyframe) for p in second]
    return remux(a, d/'joined.mkv', lambda _: rows)
kind('h264, B-frames that the header does not announce', joined)

FIELDS = dict(g=10, flags='+ilme+ildct')
for first in ('tff', 'bff'):
    for box in 'mp4 mkv ts'.split():
        plain(f'h264 interlaced {first} {box}', f'a.{box}', 'libx264', x264_params=f'{first}=1', **FIELDS)
plain('mpeg2 interlaced', 'a.mpg', 'mpeg2video', bf=2, **FIELDS)
plain('mpeg4 interlaced', 'a.avi', 'mpeg4', **FIELDS)

def in_a_row(d, *films):
    "MPEG-TS files, one after the other in one file, as recorders write them."
    parts = [write(d/f'{i}.ts', 'libx264', film, g=10, **options) for i, (film, options) in enumerate(films)]
    (d/'row.ts').write_bytes(b''.join(p.read_bytes() for p in parts))
    return d/'row.ts'
kind('ts, other settings half-way', in_a_row, (pictures(), {}),
     (pictures(), dict(bf=0, x264_params='sar=2/1:colormatrix=bt709')))

# pixels
PIXELS = dict(libx264='yuv420p10le yuv422p yuv444p yuvj420p gray yuv422p10le nv12',
              libx265='yuv420p10le yuv422p10le yuv444p gray', ffv1='yuva420p gray16le bgr0 yuv420p16le')
for codec, formats in PIXELS.items():
    for pix in formats.split():
        for box in ('mkv',) if codec == 'ffv1' else ('mp4', 'mkv'):
            plain(f'{codec} {pix} {box}', f'a.{box}', codec, pix=pix, **SETTINGS.get(codec, dict(g=10)))
plain('x264rgb', 'a.mp4', 'libx264rgb', pix='rgb24', g=10)
for pix, profile in dict(yuva420p=0, yuv444p=1, gbrp=1, yuv422p=1).items():
    plain(f'vp9 {pix}', 'a.webm', 'libvpx-vp9', pix=pix, profile=profile, **VP9)
plain('vp8 with alpha', 'a.webm', 'libvpx', pix='yuva420p', g=10, **{'auto-alt-ref': 0})
plain('prores 4444', 'a.mov', 'prores_ks', pix='yuva444p10le')
plain('mjpeg 4:2:2', 'a.avi', 'mjpeg', pix='yuvj422p')
COLOURS = dict(bt601='colormatrix=smpte170m', pal='colormatrix=bt470bg', bt709='colorprim=bt709:transfer=bt709:colormatrix=bt709', full='range=pc',
               bt2020='colormatrix=bt2020nc', full709='range=pc:colormatrix=bt709')
for name, params in COLOURS.items():
    params = f'keyint=10:{params}'
    for box in ('mp4', 'mkv'): plain(f'h264 {name} {box}', f'a.{box}', 'libx264', x264_params=params)

# sizes
for w, h in [(2, 2), (4, 16), (16, 4), (24, 24), (48, 36), (48, 8), (66, 50), (320, 18), (18, 256)]:
    plain(f'h264 {w}x{h}', 'a.mp4', 'libx264', frames=pictures(N, w, h), g=10)
for w, h in [(63, 47), (64, 47), (63, 48), (17, 3), (1, 1)]:
    plain(f'vp9 {w}x{h}', 'a.webm', 'libvpx-vp9', frames=pictures(N, w, h), **VP9)
    if w > 1: plain(f'mpeg4 {w}x{h}', 'a.avi', 'mpeg4', frames=pictures(N, w, h), g=10)
plain('h264 odd in 4:4:4', 'a.mp4', 'libx264', frames=pictures(N, 63, 47), pix='yuv444p', g=10)
plain('hevc 62x46', 'a.mp4', 'libx265', frames=pictures(N, 62, 46), x265_params=HEVC)

# turns and mirrors
MATRICES = {'90': (0, 1, -1, 0), '180': (-1, 0, 0, -1), '270': (0, -1, 1, 0), 'mirrored': (-1, 0, 0, 1),
            'upside down': (1, 0, 0, -1), 'transposed': (0, 1, 1, 0), 'transposed, 180': (0, -1, -1, 0)}
def turn(d, matrix, codec, **options):
    "An MP4 with a display matrix in its track header."
    data = bytearray(write(d/'flat.mp4', codec, **options).read_bytes())
    at = data.find(b'tkhd') + 44
    a, b, c, e = (v << 16 for v in matrix)
    data[at:at + 36] = struct.pack('>9i', a, b, 0, c, e, 0, 0, 0, 1 << 30)
    (d/'turned.mp4').write_bytes(data)
    return d/'turned.mp4'
for name, matrix in MATRICES.items():
    kind(f'h264 turned: {name}', lambda d, m: turn(d, m, 'libx264', g=10), matrix, matrix=matrix)
    kind(f'mpeg4 turned: {name}', lambda d, m: turn(d, m, 'mpeg4', g=10, bf=2), matrix, matrix=matrix)

# tracks
def add_sound(c, s):
    for i in range(25):
        f = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format='fltp', layout='mono')
        f.sample_rate, f.pts = 16000, 1024 * i
        c.mux(s.encode(f))

def tracks(path, order, codec='libx264'):
    "A file with tracks in `order`: v and w are videos, a is sound, p a cover picture."
    films = dict(v=pictures(N), w=pictures(2 * N, 96, 64, seed=7), p=pictures(1, 128, 96))
    with av.open(str(path), 'w') as c:
        made = {}
        for k in order:
            if k == 'a': made[k] = c.add_stream('aac', rate=16000, layout='mono')
            elif k == 'p': made[k] = new_track(c, 'mjpeg', 128, 96, 'yuvj420p')
            else: made[k] = new_track(c, codec, *films[k].shape[2:0:-1], g=10, bf=0)
        if 'p' in made: made['p'].disposition = Disposition.attached_pic.value
        for k in sorted(made):  # sound, cover picture, videos
            if k == 'a': add_sound(c, made[k])
            for a in films.get(k, ()): c.mux(made[k].encode(av.VideoFrame.from_ndarray(a, format='rgb24')))
            if k != 'p': c.mux(made[k].encode())
    return path
for order in 'vw wv va av avw'.split():
    for box in ('mp4', 'mkv', 'mov'):
        kind(f'tracks {order} {box}', lambda d, o, b: tracks(d/f'a.{b}', o), order, box)
for order in 'pv vp pva vwp vpw'.split():
    kind(f'tracks {order} mp4', lambda d, o: tracks(d/'a.mp4', o), order)
for order in ('vw', 'va'):
    kind(f'tracks {order} avi', lambda d, o: tracks(d/'a.avi', o, 'mpeg4'), order)
    kind(f'tracks {order} ts', lambda d, o: tracks(d/'a.ts', o), order)

# times and headers
PIPED = dict(mkv=('libx264', 'matroska'), webm=('libvpx-vp9', 'webm'), avi=('mpeg4', 'avi'),
             flv=('libx264', 'flv'), ts=('libx264', 'mpegts'), nut=('libx264', 'nut'))
for box, (codec, format) in PIPED.items():
    kind(f'piped {box}', lambda d, b, c, f: piped(d/f'a.{b}', c, f, g=10), box, codec, format)
kind('piped mkv, hevc', lambda d: piped(d/'a.mkv', 'libx265', 'matroska', x265_params=HEVC))
for flags in ('frag_keyframe+empty_moov', 'faststart', 'frag_every_frame+empty_moov+default_base_moof',
              'negative_cts_offsets'):
    for codec in ('libx264', 'libx265'):
        plain(f'{codec} mp4 {flags}', 'a.mp4', codec, muxer=dict(movflags=f'+{flags}'), **SETTINGS[codec])
TIMES = {'irregular': np.cumsum(np.random.default_rng(1).integers(1, 9, N)),
         'from 100 s on': np.arange(N) + 2500, 'from below zero on': np.arange(N) - 30}
for name, times in TIMES.items():
    for box, codec in dict(mp4='libx264', mkv='libx264', webm='libvpx-vp9', ts='libx264').items():
        plain(f'times {name}, {box}', f'a.{box}', codec, times=times, g=10)
still = np.arange(N) + 200 * (np.arange(N) > N // 2)
plain('a still of eight seconds, mp4', 'a.mp4', 'libx264', times=still, g=10)

def empty_chunks(where):
    "AVI chunks without data, which show the picture before again."
    def change(packets):
        rows, at = [], 0
        for i, p in enumerate(packets):
            rows.append((bytes(p), at, at, p.is_keyframe))
            at += 1 + where(i)
        return rows
    return change
for bf in (0, 2):
    some, many = empty_chunks(lambda i: i % 5 == 3), empty_chunks(lambda i: 80 * (i == 20))
    kind(f'avi with some empty chunks, bf={bf}', copied, 'mpeg4', bf, 'avi', some)
    kind(f'avi with many empty chunks, bf={bf}', copied, 'mpeg4', bf, 'avi', many)

def header_says(d, n, bf):
    "An AVI with another number of frames in its two headers."
    path = write(d/'a.avi', 'mpeg4', g=10, bf=bf)
    data = bytearray(path.read_bytes())
    for mark, place in (b'avih', 24), (b'strh', 40):
        at = data.find(mark) + place
        data[at:at + 4] = n.to_bytes(4, 'little')
    path.write_bytes(data)
    return path
for n in (0, 1, N + 1, 2 * N, 10 * N, 1 << 30, (1 << 31) - 1, (1 << 32) - 1):
    for bf in (0, 2): kind(f'avi header says {n}, bf={bf}', header_says, n, bf)

def edited(d, start, length):
    "An MP4 whose edit list shows `length` of its frames from `start` on."
    path = write(d/'a.mp4', 'libx264', g=10)
    data = bytearray(path.read_bytes())
    number = lambda at: int.from_bytes(data[at:at + 4], 'big')
    unit, movie = number(data.find(b'mdhd') + 16), number(data.find(b'mvhd') + 16)
    entry = data.find(b'elst') + 12
    shown = length * movie // 25, number(entry + 4) + start * unit // 25
    data[entry:entry + 8] = struct.pack('>II', *shown)
    path.write_bytes(data)
    return path
for start, length in [(0, 20), (15, N - 15), (12, 18), (10, 20), (0, N - 1)]:
    kind(f'edit list {start}+{length}', edited, start, length)

SHORT = [('mp4', 'libx264'), ('mkv', 'libx264'), ('avi', 'mpeg4'), ('webm', 'libvpx-vp9'), ('ts', 'libx264'),
         ('flv', 'libx264'), ('mov', 'prores_ks'), ('mkv', 'libx265')]
for n in (1, 2, 3):
    for box, codec in SHORT:
        quiet = dict(x265_params='log-level=none') if codec == 'libx265' else {}
        pix = PIX.get(codec, 'yuv420p')
        plain(f'{n} frames, {codec} in {box}', f'a.{box}', codec, frames=pictures(n), pix=pix, **quiet)

# names
NAMES = [b'caf\xe9.mp4', b'a: [x] (50%) %03d \xc3\xb6.mp4', b'http:x.mp4', b'\xff\xfe\n.mp4', b'a.b,c|d.mp4',
         b'no ending']
def named(d, name):
    return write(d/'a.mp4', 'libx264', g=10).rename(os.fsdecode(os.fsencode(d) + b'/' + name))
for name in NAMES: kind(f'name {name!r}', named, name)

# ---- asking

def index_sets(n):
    "Many ways of asking for frames of a video of `n`."
    rng = np.random.default_rng(n)
    sets = dict(last=[n - 1], late=[max(n - 3, 0)], middle=[n // 2], early=[0, min(5, n - 1)], every=range(n),
                some=rng.integers(0, n, 9), repeated=[n - 1, 0, n - 1, n // 2, n // 2],
                backwards=range(n - 1, -1, -4), pair=sorted({n // 3, n - 1}))
    for sampling in ('uniform', 'dense'):
        for k, q in enumerate(clip_indices(n, 8, 3, sampling, 2)): sets[f'{sampling} {k}'] = q
    for k in range(40 if LARGE else 3): sets[f'dense, random {k}'] = dense_indices(n, 8, 2, rng)
    return {k: np.asarray(list(q)) for k, q in sets.items()}

def wrong_sets(path, true):
    "(reader, set) that gives other frames than the true ones."
    wrong, one = [], Video(path)
    if len(one) != len(true): wrong.append(('length', len(one), len(true)))
    readers = ['any', 'sequence'] + ['seek'] * one.seekable + ['decord'] * one.can_decord()
    for reader in readers:
        if reader != 'any': one.reader = lambda q: reader
        for name, q in index_sets(len(true)).items():
            v = Video(path) if reader == 'any' else one
            if not np.array_equal(v.frames(q), np.stack([true[i] for i in q])): wrong.append((reader, name))
    return wrong

# kinds that decord must read, if it can be used at all
DECORD = [f'h264 {k}' for k in ('long mp4', 'long mkv', 'pyramid mp4', 'pyramid mkv', 'slices mp4', 'bt709 mp4',
                                'bt601 mkv', 'pal mp4', 'bt2020 mkv', '66x50', '320x18')]
DECORD += [f'libx264 {k}' for k in ('mp4', 'mov', 'mkv', '3gp', 'mp4 faststart', 'mp4 frag_keyframe+empty_moov')]
DECORD += [f'tracks {order} {box}' for order in ('av', 'va') for box in ('mp4', 'mov', 'mkv')]

def served_by_decord(path):
    "True if decord reads a file of which it is said that it can."
    v = Video(path)
    v.reader = lambda q: 'decord'
    return v.can_decord() and bool(len(v.frames([len(v) - 1]))) and v.can_decord()

@pytest.mark.parametrize('name', CASES)
def test_kind_of_file(name, tmp_path):
    "Every way of asking gives the true frames with all readers, and the check says 'ok'."
    make, matrix = CASES[name]
    try: path = make(tmp_path)
    except (av.FFmpegError, TypeError) as e: pytest.skip(f'PyAV {av.__version__} cannot write it: {e}')
    true = truth(path, matrix)
    if not true: pytest.skip(f'PyAV {av.__version__} cannot read it')
    assert not wrong_sets(path, true)
    if video._WATCHED and name in DECORD: assert served_by_decord(path)
    found = examine(path)
    assert (found['state'], found['frames']) == ('ok', len(true)), found['message']
    height, width = true[0].shape[:2]
    assert (found['width'], found['height']) == (width, height)

@pytest.mark.skipif(not video._WATCHED, reason='decord is not installed, or its log cannot be heard')
@pytest.mark.parametrize('name', ['libx264 mp4', 'libx264 mkv'])
def test_with_and_without_decord(name, tmp_path, monkeypatch):
    "decord is asked if it pays. The same frames come without it, and if it refuses."
    path, last, calls = CASES[name][0](tmp_path), [N - 1, N - 3], []
    true, asked = np.stack(truth(path))[last], video.decord.VideoReader
    def counted(*args, **kwargs):
        calls.append(args)
        return asked(*args, **kwargs)
    def refuses(*args, **kwargs): raise video.decord.DECORDError('no')
    assert Video(path).reader(last) == 'seek'  # so small a file is read faster by PyAV
    monkeypatch.setattr(video, '_decord_pays', lambda *_: True)
    monkeypatch.setattr(video.decord, 'VideoReader', counted)
    assert Video(path).reader(last) == 'decord'
    assert np.array_equal(Video(path).frames(last), true) and len(calls) == 1
    monkeypatch.setattr(video.decord, 'VideoReader', refuses)
    v = Video(path)
    assert np.array_equal(v.frames(last), true) and v.reader(last) == 'seek'
    monkeypatch.setattr(video, 'decord', None)
    monkeypatch.setattr(video, '_WATCHED', False)
    v = Video(path)
    assert v.reader(last) == 'seek' and np.array_equal(v.frames(last), true)

def test_another_size_half_way(tmp_path):
    "Frames of one size are read, frames of two are refused, and the check says so."
    path = in_a_row(tmp_path, (pictures(), {}), (pictures(w=32, h=32), {}))
    true, v = truth(path), Video(path)
    assert len(true) == len(v) == 2 * N
    for q in ([3, 0], [N + 9, 2 * N - 1]): assert np.array_equal(v.frames(q), [true[i] for i in q])
    with pytest.raises(VideoError, match=r'row.ts: its frames have several sizes \(64x48, 32x32\)'):
        v.frames([3, N + 9])
    assert examine(path)['message'] == 'frames of 2 sizes: 64x48, 32x32'

def damaged(data, rng):
    "A copy with flipped bits, a hole of zeros, or without its end."
    out, how = bytearray(data), rng.integers(4)
    if how < 2:
        for at in rng.integers(0, len(out), how + 1): out[at] ^= 1 << int(rng.integers(8))
    at = int(rng.integers(len(out) // 4, len(out)))
    if how == 2: out[at:at + 200] = bytes(len(out[at:at + 200]))
    return bytes(out[:at] if how == 3 else out)

GOOD = {'libx264 mp4': 0, 'libx264 mkv': 1, 'libvpx-vp9 webm': 2, 'mpeg4 avi': 3, 'mpeg4 B avi': 4}

@pytest.mark.parametrize('name', GOOD)
def test_damaged_copies(name, tmp_path):
    "A damaged copy that the check calls ok is read like any other. Else frames are PyAV's, or none come."
    rng = np.random.default_rng(GOOD[name])
    path = CASES[name][0](tmp_path)
    data = path.read_bytes()
    for _ in range(200 if LARGE else 12):
        path.write_bytes(damaged(data, rng))
        state, true = examine(path)['state'], []
        try:
            true = truth(path)
            v = Video(path)
            v.reader = lambda q: 'sequence'
            with warnings.catch_warnings(action='ignore'): frames = v.frames(range(len(v)))
            assert len(frames) == len(true) and np.array_equal(frames, true)
        except (VideoError, av.FFmpegError): assert state != 'ok'
        if state == 'ok': assert not wrong_sets(path, true)
