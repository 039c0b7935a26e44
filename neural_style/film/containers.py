"""Films in containers such as MP4, MKV and AVI, read by FFmpeg through PyAV."""

import contextlib
import itertools
import os
from fractions import Fraction
from typing import Any, Callable, Iterator, List, NamedTuple

import av
import numpy as np

from ..pictures.read import MAX_PIXELS
from ..system.errors import UsageError
from .about import Colors, Film, Frame, demand_size

# Neither playlists, which name other files and addresses, nor texts, which FFmpeg would show as a film of letters.
FORMATS = (
    "mov mp4 matroska webm avi mpegts mpeg mpegvideo m4v h264 hevc flv asf ogg mjpeg yuv4mpegpipe mxf nut rm dv ivf "
    "obu wtv mp3 wav flac aac aiff"
)
OPTIONS = {"format_whitelist": FORMATS.replace(" ", ","), "protocol_whitelist": "file"}
ARBITRARY_START = ("mpegts", "mpeg")  # their clocks need not begin at 0
COVER = 0x400  # a stream's disposition: the picture on the cover of a record
MATRICES = {1: "bt709", 4: "fcc", 5: "bt470", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}
BT709, SMPTE170M, BT2020 = 1, 6, (9, 10)
FULL = UNSPECIFIED = 2  # of ranges, and of primaries and transfers
ALWAYS_FULL = ("yuvj", "rgb", "bgr", "gbr", "pal", "gray", "mono", "argb", "abgr")  # formats
PATIENCE = 1  # seconds without a good frame after a damaged one
EXACT = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
UPRIGHT = (1, 0, 0, 1)


class Shape(NamedTuple):
    """How a decoded frame becomes one that is upright and has square pixels."""

    size: tuple  # (H, W) to scale it to, before it is turned
    turn: tuple  # a, b, c, d of the display matrix, of which only the signs count

    @property
    def swaps(self) -> bool:
        """Whether turning it swaps height and width."""
        a, b, _, _ = self.turn
        return abs(b) > abs(a)

    def turned(self, pixels: np.ndarray) -> np.ndarray:
        """The (H, W, 3) pixels turned."""
        a, b, c, d = self.turn
        if self.swaps:
            pixels, a, d = pixels.transpose(1, 0, 2), c, b
        return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def open_container(path: str) -> Film:
    """The Film of a file that FFmpeg reads."""
    with opened(path) as container:
        stream = _pictures_of(container, path)
        demand_size(path, stream.height, stream.width)
        count, end, missing, longest = _survey(container, stream)
        rate, time_base = _rate(stream), stream.time_base
        sound = tuple(one.index for one in container.streams.audio if one.codec_context)
    with opened(path) as container:
        stream = _pictures_of(container, path)
        _, frame = next(_decoded(container, stream, []), (0, None))
        if frame is None:
            what = f"is damaged: none of its {count} frames can be decoded" if count else "has no frames"
            raise UsageError(f"{path} {what}")
        shape = _shape(frame, stream)
        demand_size(path, *shape.size)
        size, colors = shape.size[::-1] if shape.swaps else shape.size, _colors(frame, stream)
        return Film(path, size, count, missing, time_base, end, rate, _frames, longest, colors, sound)


def _survey(container, stream):
    """The number of frames, the end of the last one, how many more the file claims, and how long one lasts at most."""
    tick, offset = _tick(_rate(stream), stream), start_of(container, stream)
    count, end, last, times = 0, 0, 0, []
    for packet in packets(container, [stream, *container.streams.audio], []):
        at = packet.dts if packet.pts is None else packet.pts
        if packet.stream.index == stream.index:
            count, end = count + 1, max(end, (end if at is None else at - offset) + (packet.duration or tick))
            times.append(end if at is None else at - offset)
        elif at is not None:
            last = max(last, (at + (packet.duration or 0)) * packet.time_base)
    missing = stream.frames - count if stream.frames else 0
    if container.duration and not missing and container.format.name not in ARBITRARY_START:
        seconds = Fraction(container.duration, av.time_base)
        left = round((seconds - max(last, end * stream.time_base)) / (tick * stream.time_base))
        missing = left if left > max(2, count // 20) else 0
    times = sorted([*times, end])
    longest = max((later - earlier for earlier, later in zip(times, times[1:])), default=0)
    return count, end, max(0, missing), longest


@contextlib.contextmanager
def opened(path: str) -> Iterator[Any]:
    """The container of a film, open while the context lasts."""
    try:
        container = av.open(os.path.abspath(path), options=OPTIONS, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} is not a film in a format that can be read, or is damaged ({reason})") from None
    with container:
        yield container


def _pictures_of(container, path):
    """The container's video stream (not its cover)."""
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        what = "only sound" if container.streams.audio else "no pictures"
        raise UsageError(f"{path} has {what}{' and a cover' * bool(container.streams.video)}; name a film")
    if streams[0].codec_context is None:
        raise UsageError(f"{path}: this FFmpeg cannot decode its pictures")
    streams[0].codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return streams[0]


def _is_cover(stream):
    if hasattr(stream, "disposition"):
        return bool(int(stream.disposition) & COVER)
    codec = getattr(stream.codec_context, "name", "")
    return not stream.average_rate and codec in ("mjpeg", "png", "bmp", "gif")


def _rate(stream):
    """The frames a second, on average."""
    rate = stream.average_rate or stream.guessed_rate
    return rate if rate and 0 < rate <= 1000 else Fraction(25)


def _tick(rate, stream):
    """The duration of a frame if the file does not give one, in the stream's time base."""
    return max(1, round(1 / (rate * stream.time_base)))


def start_of(container: Any, stream: Any) -> int:
    """The start time, in the stream's time base, of a film whose clock need not start at 0."""
    if container.format.name not in ARBITRARY_START or container.start_time is None:
        return 0
    return round(Fraction(container.start_time, av.time_base) / stream.time_base)


def packets(container: Any, streams: List[Any], lost: list) -> Iterator[Any]:
    """The packets of some streams. Where the file ends early or is damaged for good, that is added to the list lost."""
    try:
        for packet in container.demux(streams):
            if packet.size:
                yield packet
    except av.error.FFmpegError as error:
        lost.append(error)


def _decoded(container, stream, lost):
    """(time, PyAV's frame) for each good frame; the list lost gets an exception for each other one.

    Later frames depend on a damaged one, so the next good frame is a key frame, or one a second later: by then a player
    would show what it has, too.
    """
    tick, offset, last, blind = _tick(_rate(stream), stream), start_of(container, stream), None, None
    for frame in _attempted(container, stream, lost):
        if frame is None:
            blind = (last or 0) + round(PATIENCE / stream.time_base)
            continue
        at = (0 if last is None else last + tick) if frame.pts is None else frame.pts - offset
        if blind is not None and at < blind and not frame.key_frame:
            lost.append(ValueError("the frame before is damaged"))
        elif last is None or at > last:  # of frames at the same time only one would be seen
            yield at, frame
            last, blind = at, None


def _attempted(container, stream, lost):
    """PyAV's frames, None for each that cannot be decoded."""
    for packet in itertools.chain(packets(container, [stream], lost), [None]):  # None: what the decoder still holds
        try:
            for frame in stream.codec_context.decode(packet):
                if frame.is_corrupt or not 0 < frame.width * frame.height <= MAX_PIXELS:
                    raise ValueError("the frame is damaged")
                yield frame
        except av.error.EOFError:
            continue
        except (av.error.FFmpegError, ValueError) as error:
            lost.append(error)
            yield None


def _shape(frame, stream):
    """The Shape of a film by its first frame."""
    ratio, height, width = stream.sample_aspect_ratio or 1, frame.height, frame.width
    if not Fraction(1, 20) < ratio < 20:
        ratio = 1
    size = (height, round(width * ratio)) if ratio >= 1 else (round(height / ratio), width)
    return Shape(size, _turn(frame))


def _turn(frame):
    """a, b, c, d of the frame's display matrix."""
    for data in map(frame.side_data.__getitem__, range(len(frame.side_data))):
        if getattr(data.type, "name", "") == "DISPLAYMATRIX":
            matrix = np.frombuffer(bytes(data), np.int32)
            return tuple(matrix[[0, 1, 3, 4]].tolist())
    return UPRIGHT


def _colors(frame, stream):
    """The Colors of a film by its first frame; where it does not say, they are what players take them for."""
    context, matrix = stream.codec_context, int(frame.colorspace)
    if matrix not in (*MATRICES, *BT2020):
        matrix = BT709 if frame.width >= 1280 or frame.height > 576 else SMPTE170M
    return Colors(BT2020[0] if matrix in BT2020 else matrix, int(context.color_primaries), int(context.color_trc))


def _frames(film, lost):
    """The Frames of a film."""
    with opened(film.path) as container:
        stream = _pictures_of(container, film.path)
        convert, shape, kind = None, None, None  # type: Any, Any, Any
        for at, frame in _decoded(container, stream, lost):
            if shape is None:
                shape = _shape(frame, stream)
            if kind != _kind(frame):  # the size and the format may change within a film
                width, height, form, range_ = kind = _kind(frame)
                scale = f"{shape.size[1]}:{shape.size[0]}:in_color_matrix={MATRICES[film.colors.matrix]}"
                convert = converter(width, height, form, "rgb24", f"{scale}:in_range={range_}:out_range=full")
            yield Frame(shape.turned(convert(frame).to_ndarray()), at)


def _kind(frame):
    """What decides how a frame is converted: width, height, format and range."""
    name = frame.format.name
    full = frame.color_range == FULL or name.startswith(ALWAYS_FULL)
    return frame.width, frame.height, name, "full" if full else "limited"


def converter(width: int, height: int, form: str, wanted: str, scale: str) -> Callable:
    """A function that converts PyAV's frames of a size and format to the format wanted, by FFmpeg's scale filter."""
    graph, shape = av.filter.Graph(), av.VideoFormat(form, width, height)
    nodes = [graph.add_buffer(width=width, height=height, format=shape, time_base=Fraction(1, 1000))]
    nodes += [graph.add("scale", f"{scale}:{EXACT}"), graph.add("format", wanted), graph.add("buffersink")]
    for one, other in zip(nodes, nodes[1:]):
        one.link_to(other)
    graph.configure()

    def convert(frame):
        graph.push(frame)
        return graph.pull()

    return convert
