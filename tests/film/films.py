"""Films that the tests make themselves, what is in a film, and a network that is none."""

import hashlib
import struct
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from neural_style.pictures import images

MEANS = images.MEANS.reshape(1, 3, 1, 1)
RATE = 44100


def moving(count, height=48, width=64, down=1, right=2):
    """Frames of a crop that moves over a smooth picture."""
    rows, columns = np.mgrid[: height + down * count, : width + right * count] / 6
    picture = np.dstack([np.sin(rows) * np.cos(columns), np.cos(rows + columns / 2), np.sin(columns - rows / 3)])
    picture = (110 + 80 * picture).astype(np.uint8)
    return [
        np.ascontiguousarray(picture[down * i : down * i + height, right * i : right * i + width]) for i in range(count)
    ]


def make(
    path,
    pictures,
    times=None,
    time_base=Fraction(1, 25),
    codec="libx264",
    pix="yuv420p",
    sounds=0,
    colors=None,
    keys=12,
    quality="1",
):
    """Write a film with H.264 and AAC, at 25 frames a second or with these times in time_base."""
    import av

    with av.open(str(path), "w") as film:
        stream = film.add_stream(codec, rate=25, options={"crf": quality} if codec == "libx264" else {})
        context = stream.codec_context
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], pix
        context.gop_size, context.time_base, stream.time_base = keys, time_base, time_base
        if colors:
            context.colorspace, context.color_range = colors
        voices = [film.add_stream("aac", rate=RATE) for _ in range(sounds)]
        for voice in voices:
            voice.codec_context.layout = "mono"
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if colors:
                frame = frame.reformat(
                    format=pix,
                    dst_colorspace={1: "ITU709", 6: "ITU601"}[colors[0]],
                    dst_color_range=["MPEG", "JPEG"][colors[1] - 1],
                )
            frame.pts, frame.time_base = times[number] if times else number, time_base
            film.mux(stream.encode(frame))
        for number, voice in enumerate(voices):
            for start in range(0, len(pictures) * RATE // 25, 1024):
                tone = np.sin(np.arange(start, start + 1024) * 0.05 * (number + 1)) * 9000
                frame = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None], format="s16", layout="mono")
                frame.sample_rate, frame.pts = RATE, start
                film.mux(voice.encode(frame))
            film.mux(voice.encode(None))
        film.mux(stream.encode(None))
    return path


def turned(path, a, b, c, d):
    """Give an MP4's pictures a display matrix."""
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def hurt(path, *numbers):
    """Damage some frames of a film, by their numbers in the file."""
    import av

    with av.open(str(path)) as film:
        places = [packet.pos for packet in film.demux(film.streams.video[0]) if packet.size]
    data = bytearray(path.read_bytes())
    for number in numbers:
        data[places[number] : places[number] + 12] = b"\xff" * 12
    path.write_bytes(data)
    return path


def seen(path):
    """What is in a film: its size, frames, times in seconds, duration, codec, tags, and the packets of its sounds."""
    import av

    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        frames = list(film.decode(stream))
        context = stream.codec_context
        about = SimpleNamespace(
            size=(stream.height, stream.width),
            pix=context.pix_fmt,
            times=[frame.pts * stream.time_base for frame in frames],
            duration=film.duration,
            length=stream.duration and stream.duration * stream.time_base,
            tags=(int(context.colorspace), int(context.color_range)),
            pixels=[frame.to_ndarray(format="rgb24") for frame in frames],
        )
    about.sounds = sounds(path)
    return about


def sounds(path):
    """{number of the stream: [(bytes, seconds) of each packet]} of the sound in a film."""
    import av

    with av.open(str(path)) as film:
        found = {stream.index: [] for stream in film.streams.audio}
        for packet in film.demux(list(film.streams.audio)) if found else ():
            if packet.size:
                found[packet.stream.index].append((bytes(packet), packet.pts * packet.time_base))
    return found


def animation(path, pictures, durations, **options):
    """Write an animated GIF or WebP by Pillow."""
    first, *others = map(Image.fromarray, pictures)
    first.save(path, save_all=True, append_images=others, duration=durations, **options)
    return path


def durations_of(path):
    """The milliseconds of an animation's frames."""
    found = []
    with Image.open(path) as picture:
        for number in range(picture.n_frames):
            picture.seek(number)
            picture.load()
            found.append(picture.info["duration"])
    return found


class Network:
    """In the place of a trained network: flat colours, and a texture that is another one for every frame."""

    digest = "a network"

    def __init__(self, texture=18):
        self.texture, self.painted = texture, 0

    def at(self, strength):
        return self

    def paint(self, image, device=None):
        self.painted += 1
        soft = gaussian_filter(image + MEANS, (0, 0, 1.5, 1.5))
        seed = int(hashlib.sha256(image.tobytes()).hexdigest()[:8], 16)
        noise = gaussian_filter(np.random.RandomState(seed).normal(0, 1, image.shape), (0, 0, 1, 1))
        flat = np.floor(soft / 48) * 48 + 24
        return (np.clip(flat + self.texture * noise / noise.std(), 0, 255) - MEANS).astype(np.float32)


class Nothing(Network):
    """A network that leaves every frame as it is."""

    digest = "nothing"

    def paint(self, image, device=None):
        self.painted += 1
        return image
