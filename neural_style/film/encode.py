"""Write a film by FFmpeg through PyAV, with the sound of its source copied packet by packet."""

import contextlib
import io
import math
import os
from typing import Dict, Iterable, NamedTuple

import av
import numpy as np

from ..run.progress import duration
from ..system.errors import UsageError
from ..system.files import atomic
from .about import Colors, Film
from .containers import BT709, MATRICES, converter, opened, packets, start_of

H264 = {"crf": "16", "preset": "medium", "bf": "0"}  # without B-frames, MP4 keeps the times of any film as they are
VP9 = {"crf": "20", "deadline": "good", "cpu-used": "3"}
SRGB = Colors(BT709, BT709, BT709)  # what players assume if a film does not say
KEEPS_SOUND = True
LIMITED = 1  # the range that every player knows


class Target(NamedTuple):
    """A format that films are written in."""

    form: str
    codec: str
    options: Dict[str, str]
    container: Dict[str, str]


SAME = {"fflags": "+bitexact"}  # without it, MKV has a random number in its head
MP4, MOV = (
    Target(form, "libx264", H264, {"movflags": "+faststart"}) for form in ("mp4", "mov")
)  # shown while it loads
MKV, WEBM = Target("matroska", "libx264", H264, SAME), Target("webm", "libvpx-vp9", VP9, SAME)
TARGETS = {".mp4": MP4, ".m4v": MP4, ".mov": MOV, ".mkv": MKV, ".webm": WEBM}


def prepare(path: str, film: Film) -> None:
    """Make sure, before it is painted, that a film can be written to path, and its sound with it."""
    pause = f"{film.path} shows a frame for {duration(film.pause)}, which is longer than this format can hold"
    for attempt, silent, trouble in (
        (_try, True, f"{path}: this FFmpeg cannot write such a film (%s); use .gif, or another format"),
        (_try_pause, True, f"{path}: {pause}; use .mkv"),
        (_try, False, f"{path} cannot hold the sound of {film.path} as it is (%s); use .mkv, which can hold any"),
    ):
        try:
            attempt(path, film._replace(sound=()) if silent else film)
        except (av.error.FFmpegError, ValueError, OverflowError) as error:
            raise UsageError(trouble.replace("%s", str(error))) from None


def _try(path, film):
    """Write the film's header to memory only."""
    output = av.open(io.BytesIO(), "w", format=_target(path).form)
    try:
        _pictures(output, path, film)
        with _sound(film, output):
            output.start_encoding()
    finally:
        with contextlib.suppress(av.error.FFmpegError, ValueError):  # it has no frames
            output.close()


def _try_pause(path, film):
    """Write two black frames to memory, as far apart as the film's are."""
    if film.pause <= 60:
        return
    black = np.zeros((*film.size, 3), np.uint8)
    frames = [(black, 0, film.longest), (black, film.longest, film.longest + 1)]
    with av.open(io.BytesIO(), "w", format=_target(path).form) as output:
        for packet in _encoded(_pictures(output, path, film), film, frames):
            output.mux(packet)


def write(path: str, film: Film, frames: Iterable) -> None:
    """Write the film with these frames: tuples of pixels, start time and end time."""
    form, _, _, options = _target(path)
    with atomic(path, av.error.FFmpegError) as temporary, av.open(
        str(temporary), "w", format=form, options=options
    ) as output:
        stream = _pictures(output, path, film)
        with _sound(film, output) as copy:
            for packet in _encoded(stream, film, frames):
                copy(until=float(packet.dts * packet.time_base))
                output.mux(packet)
            copy()


def _target(path):
    return TARGETS[os.path.splitext(path)[1].lower()]


def _pictures(output, path, film):
    """The output's stream of pictures."""
    _, codec, options, _ = _target(path)
    stream = output.add_stream(codec, rate=film.rate.limit_denominator(65535), options=options)
    context, (height, width), colors = stream.codec_context, film.size, film.colors or SRGB
    context.width, context.height = width, height
    # H.264 with less colour than brightness, which is what every player knows, has even sides only
    context.pix_fmt = "yuv444p" if codec == "libx264" and (height % 2 or width % 2) else "yuv420p"
    context.time_base = stream.time_base = film.time_base
    context.bit_rate = 0
    context.thread_count = 1  # with more, the film would depend on their number
    context.color_range, context.colorspace = LIMITED, colors.matrix
    context.color_primaries, context.color_trc = colors.primaries, colors.transfer
    return stream


def _encoded(stream, film, frames):
    """The packets of the frames."""
    context, durations, convert = stream.codec_context, {}, None
    matrix = MATRICES[(film.colors or SRGB).matrix]
    for pixels, at, until in frames:
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        if convert is None:
            scale = f"out_color_matrix={matrix}:out_range=limited:in_range=full"
            convert = converter(frame.width, frame.height, "rgb24", context.pix_fmt, scale)
        frame.pts, frame.time_base = at, film.time_base
        converted = convert(frame)
        converted.pts, converted.time_base, durations[at] = at, film.time_base, until - at
        yield from _lasting(context.encode(converted), stream, durations)
    yield from _lasting(context.encode(None), stream, durations)


def _lasting(found, stream, durations):
    """The encoder's packets, with their durations."""
    for packet in found:
        packet.stream = stream
        duration = durations.pop(packet.pts, None)
        with contextlib.suppress(AttributeError):  # PyAV before 13 leaves it to the container
            packet.duration = duration
        yield packet


@contextlib.contextmanager
def _sound(film, output):
    """Add the film's streams of sound to the output, before anything is written to it.

    Yields copy(until), which copies their packets up to a time in seconds, or all that are left.
    """
    with contextlib.ExitStack() as stack:
        queue = iter(())
        if film.sound:
            container = stack.enter_context(opened(film.path))
            copies = {number: _like(container.streams[number], output) for number in film.sound}
            queue = _rising(container, copies)
        ahead = next(queue, None)

        def copy(until=math.inf):
            nonlocal ahead
            while ahead and ahead[0] <= until:
                output.mux(ahead[1])
                ahead = next(queue, None)

        yield copy


def _like(stream, output):
    """A stream of the output for copies of another's packets."""
    add = getattr(output, "add_stream_from_template", None) or (lambda stream: output.add_stream(template=stream))
    added = add(stream)
    added.metadata.update({name: text for name, text in stream.metadata.items() if name in ("language", "title")})
    return added


def _rising(container, copies):
    """(seconds, packet) of a container's sound, for the streams that are its copies; times only rise."""
    last: Dict[int, int] = {}
    for packet in packets(container, [container.streams[number] for number in copies], []):
        number, offset = packet.stream.index, start_of(container, packet.stream)
        at = packet.pts if packet.dts is None else packet.dts
        if at is None or at <= last.get(number, at - 1):
            continue  # of a damaged file
        last[number] = at
        packet.pts, packet.dts = (at if packet.pts is None else packet.pts) - offset, at - offset
        seconds = float(packet.dts * packet.time_base)
        packet.stream = copies[number]
        yield seconds, packet
