"""The reference's numbers, epoch by epoch (tests/golden/README.md says how they were made).

On an AMD processor with AVX-512 the default evaluation gives them bit for bit. The bounds leave room for others, whose
caches and instructions make the libraries add up in other orders, and for fast32.
"""

import json
import os
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from neural_style import nstyle
from neural_style.pictures import images
from neural_style.run import optimize
from neural_style.system import machine

GOLDEN = Path(__file__).parent / "golden"
LIKE_THE_GOLDENS = (
    machine.processor().startswith("AMD")
    and "avx512f" in machine.instructions()
    and "DNNL_MAX_CPU_ISA" not in os.environ
)


def run_golden(name, params, pictures, folder, monkeypatch, **more):
    """Run the golden's flags, and more, through train_nstyle; return golden, steps, last image and saved pictures."""
    golden = np.load(GOLDEN / f"{name}.npz")
    flags = json.loads(str(golden["args"]))
    flags.update(
        content_image=str(pictures / flags["content_image"]),
        output_dir=str(folder),
        seed=0,
        style_image=str(pictures / flags["style_image"]),
        model_params=params and str(params),
        **more,
    )
    steps, saved = [], {}

    def recorded(objective, since, args, on_step, minimise=optimize.minimise):
        assert np.array_equal(since.image, golden["init"])
        return minimise(objective, since, args, lambda step: (steps.append(step), on_step(step)))

    monkeypatch.setattr(optimize, "minimise", recorded)
    monkeypatch.setattr(images, "save_picture", lambda picture, path, *_: saved.update({Path(path).name: picture}))
    nstyle.train_nstyle(Namespace(**flags))
    return golden, steps, steps[-1].image(), saved


FEWER = {"square_random": 10, "odd_random": 10, "photo_vgg19": 5}  # epochs of fast32, where all would take long


@pytest.mark.parametrize("precision", ["float32", "fast32"])
@pytest.mark.parametrize(
    "name", ["square_random", "odd_random", "early_stop_random", pytest.param("photo_vgg19", marks=pytest.mark.weights)]
)
def test_golden(name, precision, random_params, pictures, tmp_path, monkeypatch):
    params = random_params if name.endswith("random") else None
    epochs = FEWER.get(name) if precision == "fast32" else None
    flags = {"precision": precision, **({"max_num_epochs": epochs} if epochs else {})}
    golden, steps, final, saved = run_golden(name, params, pictures, tmp_path, monkeypatch, **flags)
    if name == "early_stop_random":  # the epoch that stops has no callback, so no row in the golden
        assert steps.pop().finished
    assert len(steps) == len(golden["eps"][:epochs]) and not steps[-1].finished
    ours = {
        "eps": [step.eps for step in steps],
        "loss": [step.losses[:6] for step in steps],
        "final": final,
        "saved": saved["final.jpg"],
    }
    eps, losses = (np.abs(ours[key] / golden[key][:epochs] - 1) for key in ("eps", "loss"))
    if epochs:
        assert eps.max() < 1e-3 and losses.max() < 1e-2
        return
    image, picture = (np.abs(ours[key] - golden[key].astype(float)).mean() for key in ("final", "saved"))
    print(
        f"\n{name}, {precision}: eps {eps.max():.1e}, losses {losses.max():.1e}, "
        f"image {image:.1e}, picture {picture:.1e}"
    )
    if precision == "float32" and LIKE_THE_GOLDENS:
        assert all(np.array_equal(ours[key], golden[key]) for key in ours)
    elif name == "photo_vgg19":  # see golden/README.md
        assert eps[:10].max() < 1e-3 and losses[:10].max() < 1e-2
        assert eps.max() < 5e-2 and losses.max() < 5e-2 and image < 4 and picture < 4
    else:
        assert eps.max() < 1e-3 and losses.max() < 1e-2 and image < 0.5 and picture < 0.5
