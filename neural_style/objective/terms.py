"""The terms on the network's features: what is compared where, and how a sum of squares becomes a loss."""

from typing import Any, Callable, NamedTuple, Optional, Tuple

STYLE, CONTENT = "style", "content"  # the picture that a term compares with,
GRAM, PATCHES, GAUSSIAN, FEATURES = "gram", "patches", "wasserstein", "features"  # and what of the features

STYLE_NORMS = {  # what a squared Gram difference is divided by, with N channels and M positions
    "reference": lambda n, m: n * m * n,
    "gatys": lambda n, m: 4 * n**2 * m**2,
    "gluon": lambda n, m: 4 * n * m,
    "mean": lambda n, m: n**2 * (n * m) ** 2,  # the mean square of Gram / (N·M)
}
CONTENT_NORMS = {  # what a squared feature difference is divided by
    "sum": lambda n, m: 1,
    "half": lambda n, m: 2,
    "mean": lambda n, m: n * m,
}


class Compared(NamedTuple):
    """What terms compare of the features; each engine has a class for it."""

    help: str  # after "what is matched on the style layers:"; nothing if no flag asks for it
    divisor: Callable[[Any], Callable[[int, int], float]]  # of a run's arguments: what a sum of squares is divided by
    flags: str = ""  # the attributes of those that have no effect without it
    label: str = ""  # after the layer's name in messages
    layers: Tuple[str, ...] = ()  # where it is compared by default, if not on the model's own layers
    is_square: bool = False  # its sum grows with the square of the number of positions
    has_copies: bool = False  # turned and scaled copies of the styles are further examples


COMPARED = {
    GRAM: Compared("Gram matrices", lambda args: STYLE_NORMS[args.style_norm], "style_norm", is_square=True),
    PATCHES: Compared(
        "each patch of features with the style's most similar one (CNN-MRF)",
        lambda args: CONTENT_NORMS["sum"],
        "patch_size patch_stride patch_rotations patch_scales match_every",
        " patches",
        ("relu3_1", "relu4_1"),
        has_copies=True,
    ),
    GAUSSIAN: Compared(
        "the mean and covariance of all features by their Wasserstein-2 distance",
        lambda args: CONTENT_NORMS["sum"],
        label=" wasserstein",
    ),
    FEATURES: Compared("", lambda args: CONTENT_NORMS[args.content_norm]),
}
STYLE_TERMS = {name: row for name, row in COMPARED.items() if row.help}  # what --style-term can be


class PatchShape(NamedTuple):
    """Patches of features: their side in positions, and the step from one to the next in the style."""

    side: int = 3
    stride: int = 2


class Term(NamedTuple):
    """One term on a layer; divisor(N, M) of its N channels and M positions scales the sum of squares."""

    kind: str  # STYLE or CONTENT
    layer: str
    weight: float
    divisor: Callable[[int, int], float]
    compares: str = ""  # a row of COMPARED; by default the first for the style, the last for the content
    region: Optional[int] = None  # of the Pictures; None: everywhere
    patch_shape: PatchShape = PatchShape()

    @property
    def name(self) -> str:
        """The term's name for messages."""
        of = "" if self.region is None else f" in region {self.region + 1}"
        return self.layer + COMPARED[self.what].label + of

    @property
    def what(self) -> str:
        """What it compares: a row of COMPARED."""
        return self.compares or (GRAM if self.kind == STYLE else FEATURES)
