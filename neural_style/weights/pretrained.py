"""Finding, fetching and loading the pretrained weights.

A weights file NAME.params holds float32 arrays `arg:conv1_1_weight` (out, in, 3, 3), `arg:conv1_1_bias` (out,), …
for pictures with channels R, G, B on the scale "[0, 1] × 256 minus (123.68, 116.779, 103.939)".
"""

from pathlib import Path
from typing import Dict, Iterable, List, Optional, Tuple

import numpy as np

from ..network.architecture import NETWORKS, array_shapes
from ..system.errors import NeuralStyleError, UsageError, say
from ..system.files import sha256_of
from ..system.types import Arrays, PathLike
from . import download, params, sources

PACKAGE = Path(__file__).resolve().parent.parent


def places(name: str = "vgg19") -> List[Path]:
    """The paths where NAME.params is looked for, in this order."""
    from platformdirs import user_cache_dir

    checkout = [PACKAGE.parent / "model"] if (PACKAGE.parent / "setup.py").is_file() else []
    return [folder / f"{name}.params" for folder in (Path("model"), *checkout, Path(user_cache_dir("neural_style")))]


def find(name: str = "vgg19", explicit: Optional[PathLike] = None) -> Optional[Path]:
    """The weights file to use: explicit if given, otherwise the first of places(name) that exists, otherwise None."""
    if explicit is not None:
        return existing(explicit, "--model-params ")
    return next((path for path in places(name) if path.is_file()), None)


def existing(path: PathLike, flag: str = "") -> Path:
    """path as a Path; raises UsageError if it is not a file."""
    if not Path(path).is_file():
        raise UsageError(f"{flag}{path} " + ("is a folder; name a file" if Path(path).is_dir() else "does not exist"))
    return Path(path)


def ensure(name: str = "vgg19", explicit: Optional[PathLike] = None) -> Path:
    """The weights file to use; VGG19's weights are fetched into the user's cache folder if there are none yet."""
    path = find(name, explicit)
    if path is not None:
        return path
    looked = "looked for " + ", ".join(map(str, places(name)))
    if name != "vgg19":
        raise NeuralStyleError(
            f"there are no weights for {name}: create {name}.params with `python -m "
            f"neural_style.weights convert FILE`, or name a file with --model-params PATH; {looked}"
        )
    target = places(name)[-1]
    say(f"the VGG19 weights are not here yet; downloading them once, to {target.parent}")
    try:
        sources.fetch_weights(target)
    except (NeuralStyleError, OSError) as error:
        raise NeuralStyleError(f"{error}; {looked}") from error
    return target


def too_short(missing: str) -> UsageError:
    """The error for a file that lacks a needed array."""
    return UsageError(
        f"the weights file has no {missing}: it ends below the chosen layers; use lower ones, or fetch "
        "or convert a file with the whole network"
    )


def load(path: PathLike, shapes: Optional[Dict[str, Tuple[int, ...]]] = None) -> Arrays:
    """The arrays of a weights file as {name: array}, without the prefix `arg:`; all values are finite.

    shapes, {name: shape}, are the arrays that must be there; any others in the file are returned as well.
    """
    arrays = {name[4:] if name.startswith("arg:") else name: array for name, array in params.read(path).items()}
    _demand(path, arrays, shapes or {})
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise NeuralStyleError(f"{path} is damaged: {name} holds values that are not finite; fetch it again")
    return arrays


def _demand(path, arrays, shapes):
    for name, shape in shapes.items():
        has = arrays[name].shape if name in arrays else None
        if has != tuple(shape):
            wrong = f"has shape {has} instead of {tuple(shape)}" if has else "is missing"
            raise NeuralStyleError(f"{path} is not a {network_of(shapes).upper()}: {name} {wrong}")


def network_of(names: Iterable[str]) -> str:
    """The network that has the most arrays of these names; of several, the smallest."""
    shapes = {network: array_shapes(blocks) for network, blocks in NETWORKS.items()}
    return max(NETWORKS, key=lambda network: (len(shapes[network].keys() & set(names)), -len(shapes[network])))


def check(path: PathLike) -> Dict[str, str]:
    """Facts about a weights file, {what: text}; raises NeuralStyleError if it is damaged or differs from its record."""
    arrays = load(path)
    network = network_of(arrays)
    blocks = NETWORKS[network]
    layers = [name[: -len("_weight")] for name in arrays if name.endswith("_weight")]
    # By default nothing above conv5_1 is needed, and the original's file ends there.
    _demand(path, arrays, array_shapes(blocks[:4] + ((blocks[4][0], 1),)))
    sha256, blob, record = sha256_of(path), download.git_blob_of(path), sources.read_record(path)
    original = blob == sources.FILES[sources.WEIGHTS]["git_blob"]
    if record and record.get("sha256") != sha256 and not original:
        raise NeuralStyleError(
            f"{path} is not the file that its record {sources.record_path(path)} describes: "
            f"its SHA-256 is {sha256} instead of {record.get('sha256')}; fetch it again, or delete "
            "the record"
        )
    known = "good: unchanged since it was written" if record else "well-formed, but of unknown origin"
    return {
        "file": str(path),
        "network": f"{network.upper()}, {len(layers)} layers, {layers[0]} to {layers[-1]}",
        "precision": "exact" if original else record.get("precision", "unknown"),
        "source": "the published file" if original else record.get("source", "unknown"),
        "licence": record.get("licence", "unknown"),
        "SHA-256": sha256,
        "git blob": blob,
        "verdict": "good: the published file" if original else known,
    }
