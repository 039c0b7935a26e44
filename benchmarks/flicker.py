"""How much a painted film flickers: frames painted as a sequence, compared with frames painted independently.

    python benchmarks/flicker.py --size 240 --frames 12 --epochs 60
    python benchmarks/flicker.py --film --network painting.params

The film is a crop that moves over a photograph that comes with scikit-image. The measure is the mean difference between
neighbouring frames, 0 to 255, after the second is shifted back to where the first was. The first form paints frames by
runs, and also tells how the mean colour changes; --film paints a film of 5 seconds, 25 frames a second, 480x270, with
sound, by a network, kills the command in between, and runs it again.
"""

import argparse
import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from neural_style.batch import __main__ as batch
from neural_style.painting import __main__ as painting

DOWN, RIGHT = 1, 2  # pixels that the crop moves from frame to frame


def crops(width, height, count):
    """The frames."""
    photograph = Image.fromarray(skimage.data.chelsea())
    whole = max(width + RIGHT * count, int((height + DOWN * count) * photograph.width / photograph.height) + 1)
    photograph = photograph.resize((whole, int(whole * photograph.height / photograph.width) + 1), Image.LANCZOS)
    for number in range(count):
        left, top = number * RIGHT, number * DOWN
        yield photograph.crop((left, top, left + width, top + height))


def film(folder, size, count):
    """Write the frames, size pixels wide and 2/3 as high, and return their paths."""
    paths = [folder / f"{number + 1}.png" for number in range(count)]
    for path, frame in zip(paths, crops(size, size * 2 // 3, count)):
        frame.save(path)
    return paths


def flicker(frames):
    """The mean difference between neighbouring frames, paths or arrays, after shifting back."""
    frames = (np.asarray(Image.open(frame) if isinstance(frame, Path) else frame).astype(float) for frame in frames)
    differences, before = [], None
    for frame in frames:
        if before is not None:
            differences.append(np.abs(before[DOWN:, RIGHT:] - frame[:-DOWN, :-RIGHT]).mean())
        before = frame
    return np.mean(differences)


def measure(size=240, count=12, flags=(), folder=None):
    """{"each for itself": flicker, "as a sequence": flicker}, with flags of a batch for both."""
    with contextlib.ExitStack() as stack:
        folder = Path(folder or stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "frames").mkdir(parents=True, exist_ok=True)
        frames, style = film(folder / "frames", size, count), folder / "painting.png"
        with contextlib.redirect_stdout(io.StringIO()):
            painting.main([str(style)])
        result = {}
        for name, how in (("as a sequence", ["--sequence"]), ("each for itself", [])):
            output = folder / name.replace(" ", "-")
            if batch.main(
                [
                    "--content",
                    str(folder / "frames"),
                    "--style",
                    str(style),
                    "--output",
                    str(output),
                    "--format",
                    "png",
                    "--seed",
                    "1",
                    "--max-long-edge",
                    str(size),
                    *how,
                    *flags,
                ]
            ):
                sys.exit(1)
            painted = [output / f"{frame.stem}-painting.png" for frame in frames]
            result[name] = flicker(painted)
            means = np.array([np.asarray(Image.open(path)).mean((0, 1)) for path in painted])
            result[f"{name}, how far the mean colour moves"] = np.ptp(means, axis=0).max()
        return result


def clip(path, seconds=5, rate=25, width=480, height=270):
    """Write a film with sound."""
    import av

    with av.open(str(path), "w") as file:
        stream, voice = file.add_stream("libx264", rate=rate, options={"crf": "12"}), file.add_stream("aac", rate=44100)
        stream.width, stream.height, stream.pix_fmt, voice.codec_context.layout = width, height, "yuv420p", "mono"
        for number, picture in enumerate(crops(width, height, seconds * rate)):
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            file.mux(stream.encode(frame))
        for start in range(0, 44100 * seconds, 1024):
            tone = (np.sin(np.arange(start, start + 1024) * 0.06) * 9000).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 44100, start
            file.mux(voice.encode(frame))
        file.mux(voice.encode(None))
        file.mux(stream.encode(None))


def contents(path):
    """When the frames of a film are shown, how long it is, and the packets of its sound."""
    import av

    with av.open(str(path)) as file:
        times = [frame.pts * frame.time_base for frame in file.decode(video=0)]
        length = file.duration
    with av.open(str(path)) as file:
        return times, length, [(bytes(packet), packet.pts) for packet in file.demux(audio=0) if packet.size]


def measure_film(network, folder, seconds=5):
    """Paint a film by a network, once at a stretch and once killed in between; yields (what, number)."""
    from neural_style.end_to_end.network import load
    from neural_style.film.painters import as_seen
    from neural_style.film.read import open_film
    from neural_style.pictures.images import PostprocessImage

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source, whole, broken = (folder / f"{name}.mp4" for name in ("clip", "whole", "broken"))
    clip(source, seconds)

    def command(output):
        return [
            sys.executable,
            "-m",
            "neural_style.film",
            str(source),
            "--network",
            network,
            "--output",
            str(output),
            "--overwrite",
        ]

    start = time.monotonic()
    subprocess.run(command(whole), check=True)
    yield "seconds", time.monotonic() - start
    yield "times, length and sound are the source's", contents(whole) == contents(source)
    killed = subprocess.Popen(command(broken))
    while not (folder / ".broken.mp4.frames" / f"{seconds * 8:06}.png").exists() and killed.poll() is None:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    yield "killed before its end", not os.path.exists(broken)
    subprocess.run(command(broken), check=True)
    yield "killed and resumed, the same film", whole.read_bytes() == broken.read_bytes()
    net = load(network)
    together = flicker(frame.pixels for frame in open_film(str(whole)).frames([]))
    alone = flicker(PostprocessImage(net.paint(as_seen(frame.pixels))) for frame in open_film(str(source)).frames([]))
    yield "flicker of the film", together
    yield "flicker of its frames painted each for itself", alone
    yield "share", together / alone


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Other flags, after --, go to the batch.")
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--folder", help="keep the pictures there")
    parser.add_argument("--film", action="store_true", help="paint a film by --network instead")
    parser.add_argument("--network")
    parser.add_argument("--seconds", type=int, default=5, help="how long that film is")
    parser.add_argument("flags", nargs="*")
    asked = parser.parse_args()
    if asked.film:
        with tempfile.TemporaryDirectory() as spare:
            for name, value in measure_film(asked.network, asked.folder or spare, asked.seconds):
                print(f"{name}: {value if isinstance(value, bool) else format(value, '.2f')}", flush=True)
    else:
        flags = ["--max-num-epochs", str(asked.epochs), "--stop-eps", "0", "--gpu", "-1", *asked.flags]
        for name, value in measure(asked.size, asked.frames, flags, asked.folder).items():
            print(f"{name}: {value:.2f}")
