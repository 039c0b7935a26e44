"""The terms on the network's features: what is compared where, and how a sum of squares becomes a loss."""
from typing import Callable, NamedTuple, Optional

STYLE, CONTENT = "style", "content"     # a term compares Gram matrices, or the features themselves

STYLE_NORMS = {     # what a squared Gram difference is divided by, with N channels and M positions
    "reference": lambda n, m: n * m * n,
    "gatys": lambda n, m: 4 * n ** 2 * m ** 2,
    "gluon": lambda n, m: 4 * n * m,
    "mean": lambda n, m: n ** 2 * (n * m) ** 2,     # the mean square of Gram / (N·M)
}
CONTENT_NORMS = {   # what a squared feature difference is divided by
    "sum": lambda n, m: 1,
    "half": lambda n, m: 2,
    "mean": lambda n, m: n * m,
}


class Term(NamedTuple):
    """One term on a layer; divisor(N, M) of its N channels and M positions scales the sum of squares."""
    kind: str                       # STYLE or CONTENT: which picture it compares with
    layer: str
    weight: float
    divisor: Callable[[int, int], float]
    compares: Optional[str] = None  # what; by default Gram matrices for the style, and features for the content
