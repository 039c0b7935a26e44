"""The terms on the network's features: what is compared where, and how a sum of squares becomes a loss."""
from typing import Callable, NamedTuple

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
# Rows of surroundings that a term needs around those whose gradient it gives; None where it needs the whole picture.
REACH = {STYLE: 0, CONTENT: 0}


class Term(NamedTuple):
    """One term on a layer; divisor(N, M) of its N channels and M positions scales the sum of squares."""
    kind: str
    layer: str
    weight: float
    divisor: Callable[[int, int], float]


def blended(grams_of_styles, shares):
    """One target for several styles: Σ b·‖G − A‖² = ‖G − mean‖² + rest, for shares b that sum to 1.

    grams_of_styles has for each style its Gram matrices, one for each layer; returns by layer their weighted means and
    the rests, which no image can change.
    """
    targets, rests = [], []
    for grams in zip(*grams_of_styles):
        mean = grams[0] if len(grams) == 1 else sum(gram * share for gram, share in zip(grams, shares))
        targets.append(mean)
        rests.append(sum(share * float((gram - mean).square().sum().asscalar()) for gram, share in zip(grams, shares)
                         if len(grams) > 1))
    return targets, rests
