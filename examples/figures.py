"""What the notebooks in this folder share: their pictures, their two sizes, and ways to show what a run made.

Environment variables set the conditions:
NEURAL_STYLE_FIGURES=tiny   few pixels and epochs, and every warning from our own code is an error: for the tests
NEURAL_STYLE_PICTURES=free  do not use the original pair that download.sh fetches: for `make figures`
NEURAL_STYLE_PARAMS=FILE    the weights file, instead of the usual places
NEURAL_STYLE_KEEP=yes       reuse the pictures of an earlier run with the same arguments: for build.py --keep
"""

import base64
import io
import json
import os
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from IPython.display import HTML, Image, clear_output, display
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
TINY = os.environ.get("NEURAL_STYLE_FIGURES", "full") == "tiny"
ORIGINAL = "input/IMG_4343.jpg", "input/starry_night.jpg"
WIDTH = 1480  # of the widest figure, in pixels
HISTORY = "history.json"  # in a run's folder


def setup():
    """Work from the checkout's folder, so that input/, model/ and output/ are those of every other run."""
    os.chdir(str(ROOT))
    if TINY:  # other packages warn each other now and then; no reason for our tests to fail
        warnings.filterwarnings("error", module=r"__main__|figures|neural_style")


def fetch():
    """Run download.sh if there are no weights yet."""
    from neural_style.weights import pretrained as weights

    if not (os.environ.get("NEURAL_STYLE_PARAMS") or weights.find()):
        subprocess.run(["sh", "download.sh"], env=dict(os.environ, PYTHON=sys.executable), check=True)


# Pictures -------------------------------------------------------------------------------------------------------------


def picture(name):
    """The path of a freely usable picture: "night", "night7", … are painted, other names are in skimage.data."""
    path = f"output/pictures/{name}.png"
    if not os.path.exists(path):
        import skimage.data

        from neural_style.painting import paint

        seed = re.fullmatch(r"night(\d*)", name)
        keep(name, paint(seed=int(seed[1] or 0)) if seed else getattr(skimage.data, name)())
    return path


def keep(name, pixels):
    """Save pixels, (H, W, 3) or (H, W), beside the pictures of picture(); returns the path."""
    from neural_style.pictures.images import save_picture

    path = Path("output/pictures") / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_picture(np.asarray(pixels, np.uint8), path)
    return str(path)


def pair():
    """Content and style: the example's own two pictures if they were fetched, otherwise two free ones."""
    if os.environ.get("NEURAL_STYLE_PICTURES") != "free" and all(map(os.path.exists, ORIGINAL)):
        return ORIGINAL
    return picture("chelsea"), picture("night")


def saved(folder):
    """The paths of a run's pictures, in order of their numbers, final.jpg last."""
    numbered = sorted(Path(folder).glob("e_*.jpg"), key=lambda path: int(path.stem[2:]))
    return [str(path) for path in numbered + list(Path(folder).glob("final.jpg"))]


def loaded(picture, longest=None):
    """A picture from its path, its (H, W, 3) array or another picture, reduced if an edge is longer than longest."""
    if isinstance(picture, (str, Path)):
        picture = Picture.open(picture)
    elif isinstance(picture, np.ndarray):
        picture = Picture.fromarray(picture)
    picture = picture.convert("RGB")
    if longest and max(picture.size) > longest:
        picture.thumbnail((longest, longest), Picture.LANCZOS)
    return picture


# Runs -----------------------------------------------------------------------------------------------------------------


def sized(args):
    """args as they are; for the tests with few pixels and epochs, and with up to five of the saved pictures."""
    if TINY:
        saves = args.max_num_epochs // args.save_epochs
        args.max_long_edge, args.save_epochs, args.pyramid = 32, 1, 0
        args.max_num_epochs = min(saves, 5) or 1
    args.model_params = os.environ.get("NEURAL_STYLE_PARAMS", args.model_params)
    return args


def run(args, name):
    """nstyle.train_nstyle(args) with its pictures in output/NAME; returns their paths, the final one last.

    Its progress is shown below the cell.
    """
    from neural_style import nstyle

    args = sized(args)
    args.output_dir, args.gpu = f"output/{name}", -1
    note, asked = Path(args.output_dir, "args.json"), json.dumps(vars(args), sort_keys=True)
    if os.environ.get("NEURAL_STYLE_KEEP") and note.exists() and note.read_text() == asked:
        return saved(args.output_dir)
    for old in [*saved(args.output_dir), *note.parent.glob(note.name)]:
        os.remove(old)
    tell, records = _progress(name, "epoch", args.max_num_epochs), []
    nstyle.train_nstyle(args, callback=lambda data: tell(data["epoch"]), on_epoch=records.append)
    clear_output()
    (note.parent / HISTORY).write_text(json.dumps(records))
    note.write_text(asked)  # now all of them exist
    return saved(args.output_dir)


def history(name):
    """The EpochRecord of every epoch of run(args, name)."""
    from neural_style.run.state import EpochRecord

    return [EpochRecord(*record) for record in json.loads(Path("output", name, HISTORY).read_text())]


def train(settings, args):
    """neural_style.end_to_end.session.run(settings, args), a few steps for the tests, with its progress below the cell.

    Returns its TrainingSteps, and {step: path} of the pictures that it saved.
    """
    from neural_style.end_to_end import session
    from neural_style.end_to_end.training import TrainingStep

    args = sized(args)
    args.overwrite = True  # what an earlier run has left
    if TINY:
        settings = settings._replace(steps=min(settings.steps // settings.save_every, 5), crop=32, save_every=1)
    output, steps = Path(settings.output), []
    note, asked = output.with_suffix(".json"), json.dumps([settings, vars(args)], sort_keys=True)
    before = json.loads(note.read_text()) if os.environ.get("NEURAL_STYLE_KEEP") and note.exists() else {}
    if before.get("asked") == asked and output.exists():
        steps = [TrainingStep(*step) for step in before["steps"]]
    else:
        for old in note.parent.glob(note.name):
            os.remove(old)
        tell = _progress(output.name, "step", settings.steps)
        session.run(settings, args, on_step=lambda step: steps.append(step) or tell(step.step))
        clear_output()
        note.write_text(json.dumps({"asked": asked, "steps": steps}))
    saves = range(settings.save_every, settings.steps + 1, settings.save_every)
    return steps, {step: str(output.with_name(f"{output.stem}_steps") / f"{step}.jpg") for step in saves}


def objective(args):
    """What train_nstyle(args) minimises, as a function of a picture, an array (1, 3, H, W) in the network's range."""
    from neural_style.find_mxnet import mx
    from neural_style.options.check import complete
    from neural_style.run import setup

    args = complete(sized(args))
    pictures = setup.pictures_of(args)
    evaluate = setup.make_objective(args, *setup.model_and_terms(args, mx.cpu(), pictures), pictures)
    return lambda image: evaluate(mx.nd.array(image)).total


def _progress(name, unit, count):
    """A function that says below the cell how far a run is, at most once a second."""
    told = 0

    def tell(number):
        nonlocal told
        if time.monotonic() - told > 1:
            told = time.monotonic()
            clear_output(wait=True)
            print(f"{name}: {unit} {number} of {count}")

    return tell


# Showing --------------------------------------------------------------------------------------------------------------


def jpeg(page, quality=88):
    buffer = io.BytesIO()
    page.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def grid(pictures, columns=None, edge=None):
    """Pictures with a title above each, as one JPEG; pictures are {title: path or (H, W, 3) array}.

    No picture's edge is longer than `edge` (by default the smallest picture's) or than fits; long titles wrap.
    """
    from matplotlib import font_manager

    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 14)
    columns = columns or len(pictures)
    whole = [loaded(picture) for picture in pictures.values()]
    edge = min(edge or min(max(tile.size) for tile in whole), WIDTH // columns - 8)
    tiles = [loaded(tile, edge) for tile in whole]
    width = max(tile.width for tile in tiles) + 8
    titles = [_wrapped(text, font, width - 8) for text in pictures]
    title = 20 + 18 * max(text.count("\n") for text in titles)
    rows = [list(zip(titles, tiles))[i : i + columns] for i in range(0, len(tiles), columns)]
    heights = [title + max(tile.height for _, tile in row) + 8 for row in rows]
    page = Picture.new("RGB", (columns * width, sum(heights)), "white")
    draw = ImageDraw.Draw(page)
    for i, row in enumerate(rows):
        top = sum(heights[:i])
        for j, (text, tile) in enumerate(row):
            draw.text((j * width + 4, top + 2), text, "black", font)
            page.paste(tile, (j * width + 4, top + title))
    return Image(jpeg(page), format="jpeg")


def _wrapped(text, font, width):
    """text with line breaks where a line would be wider than width."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def chart(draw, width=9, height=3.5, columns=1):
    """A chart as one JPEG, drawn by draw(axes), or by draw with several axes for several columns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, tight_layout=True)
    draw(*np.ravel(figure.subplots(1, columns)))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image(jpeg(Picture.open(buffer).convert("RGB"), 92), format="jpeg")


class Live:
    """eps, the losses and the latest picture of a run, redrawn while it goes on.

    A plain picture that is replaced through its display id, which classic Jupyter, JupyterLab and VS Code all support.
    """

    def __init__(self):
        self.epochs, self.eps, self.losses, self.picture = [], [], {}, None
        self._display, self._drawn = None, 0

    def epoch(self, row):
        """For train_nstyle's on_epoch."""
        self.epochs.append(row.epoch)
        self.eps.append(row.eps)
        for kind, loss in row.losses.items():
            self.losses.setdefault(kind, []).append(loss)
        if time.monotonic() - self._drawn > 3:
            self.show()

    def saved(self, data):
        """For train_nstyle's callback."""
        if "filename" in data:
            self.picture = data["filename"]
            self.show()

    def show(self):
        """Draw the current state."""
        image = chart(self._draw, 11, 3.6, 3)
        if self._display is None:
            self._display = display(image, display_id=True)
        else:
            self._display.update(image)
        self._drawn = time.monotonic()

    def _draw(self, change, losses, picture):
        change.semilogy(self.epochs, self.eps)
        change.set(title="eps, the relative change", xlabel="epoch")
        for kind, values in self.losses.items():
            losses.semilogy(self.epochs, values, label=kind)
        losses.set(title="weighted losses", xlabel="epoch")
        losses.legend()
        picture.set_axis_off()
        if self.picture:
            picture.imshow(loaded(self.picture))
            picture.set_title(os.path.basename(self.picture))


def flip(paths):
    """Pictures on top of each other with a slider and a play button; needs only a browser, no kernel.

    The slider's value t shows picture ⌊t⌋ with the next one over it at the opacity t − ⌊t⌋.
    """
    first = loaded(paths[0])
    layers = "".join(
        f'<img src="data:image/jpeg;base64,{base64.b64encode(jpeg(loaded(path), 80)).decode()}" '
        f'alt="{os.path.basename(path)}" style="position:absolute;left:0;top:0;margin:0;width:100%">'
        for path in paths
    )
    return HTML(
        FLIP.format(
            layers=layers,
            width=2 * first.width,
            ratio=100 * first.height / first.width,
            last=len(paths) - 1,
            name=os.path.basename(paths[-1]),
        )
    )


FLIP = """<div class="flip" style="max-width:{width}px">
<div style="position:relative;padding-top:{ratio:.2f}%">{layers}</div>
<div style="display:flex;gap:8px;align-items:center">
<button onclick="var button = this, slider = button.nextElementSibling;
  if (button.timer) {{ clearInterval(button.timer); button.timer = 0; button.textContent = '▶'; return; }}
  if (+slider.value >= +slider.max) slider.value = 0;
  button.textContent = '⏸';
  button.timer = setInterval(function () {{
    slider.value = +slider.value + 0.05;
    slider.oninput();
    if (+slider.value >= +slider.max) button.onclick();
  }}, 40)">▶</button>
<input type="range" min="0" max="{last}" step="0.05" value="{last}" style="flex:1" aria-label="picture" oninput="
  var t = +this.value, layers = this.closest('.flip').querySelectorAll('img');
  layers.forEach(function (layer, i) {{ layer.style.opacity = Math.min(1, Math.max(0, t - i + 1)); }});
  this.nextElementSibling.textContent = layers[Math.round(t)].alt">
<code style="width:7em">{name}</code></div></div>"""


def animate(paths, target, seconds=0.25):
    """Write the pictures as an animation, .gif or .webp; the last one stays for two seconds."""
    frames = [loaded(path) for path in paths]
    times = [int(1000 * seconds)] * (len(frames) - 1) + [2000]
    frames[0].save(target, save_all=True, append_images=frames[1:], duration=times, loop=0, quality=75)
    return target
