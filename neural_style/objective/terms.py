"""The terms on the network's features: what is compared where, and how a sum of squares becomes a loss."""

from typing import Callable, NamedTuple, Optional

STYLE, CONTENT = "style", "content"  # the picture that a term compares with,
GRAM, PATCHES, FEATURES = "gram", "patches", "features"  # and what of the features

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
    compares: str = ""  # GRAM, PATCHES or FEATURES; by default the first for the style, the last for the content
    region: Optional[int] = None  # of the Pictures; None: everywhere
    patches: PatchShape = PatchShape()

    @property
    def name(self):
        """The term's name for messages."""
        of = "" if self.region is None else f" in region {self.region + 1}"
        return self.layer + (" patches" if self.what == PATCHES else "") + of

    @property
    def what(self):
        """What it compares: features, Gram matrices or patches."""
        return self.compares or (GRAM if self.kind == STYLE else FEATURES)
