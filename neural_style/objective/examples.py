"""What an image is compared with: the content, the styles, and the regions that pair parts of them."""

import functools
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ..system.types import Size
from .terms import COMPARED, STYLE, Term


def field(regions: Optional[np.ndarray], region: Optional[int]) -> Callable:
    """A function of a layer's size (h, w): how far each position belongs to a region, (h, w), or None if all do.

    regions is (R, H, W), from 0 to 1, of the whole picture; None, or no region, stands for everything.
    """
    if regions is None or region is None:
        return lambda size: None

    @functools.lru_cache(None)
    def at(size):
        from skimage.transform import resize_local_mean

        return resize_local_mean(regions[region], size).astype("float32")

    return at


class Style(NamedTuple):
    """A style picture: an array (1, 3, h, w) in the network's range."""

    picture: np.ndarray
    share: float = 1.0  # those of all styles sum to 1
    regions: Optional[np.ndarray] = None  # (R, h, w); None: it serves every region
    copies: Tuple["Style", ...] = ()  # turned and scaled ones, with further patches

    def field(self, region: Optional[int]) -> Callable:
        """How far positions belong to a region; see the function field."""
        return field(self.regions, region)


class Pictures(NamedTuple):
    """The pictures of a run; the content is an array (1, 3, H, W) in the network's range."""

    content: np.ndarray
    styles: List[Style]
    regions: Optional[np.ndarray] = None  # (R, H, W), of the image that is painted
    mask: Optional[np.ndarray] = None  # (h, w) uint8, of the photograph at its own size: where it is painted

    @property
    def sizes(self) -> List[Size]:
        """(H, W) of the content, and of each style and its copies."""
        shown = [self.content] + [one.picture for style in self.styles for one in (style, *style.copies)]
        return [picture.shape[2:] for picture in shown]

    def field(self, region: Optional[int]) -> Callable:
        """How far positions belong to a region; see the function field."""
        return field(self.regions, region)

    def styles_of(self, region: Optional[int]) -> List[Tuple[float, Style]]:
        """[(share, Style)] of the styles that a region has; their shares sum to 1."""
        own = [style for style in self.styles if region is None or style.regions is None or style.regions[region].any()]
        whole = sum(style.share for style in own)
        return [(style.share / whole, style) for style in own] if whole else []


def examples_of(terms: List[Term], pictures: Pictures, seen: Callable) -> Dict[Term, list]:
    """{term: [(share, [(value, field)])]}: what is seen of each picture that a term compares with, and of its copies.

    seen(array, {term: field}) gives {term: value} for one picture (1, 3, h, w).
    """
    examples: Dict[Term, list] = {term: [] for term in terms}
    for style, shares in _compared(terms, pictures):
        of_style: Dict[Term, list] = {term: [] for term in shares}
        for picture in (style, *style.copies):
            looking = [term for term in shares if picture is style or COMPARED[term.what].has_copies]
            fields = {term: picture.field(term.region) for term in looking}
            for term, value in (seen(picture.picture, fields) if fields else {}).items():
                of_style[term].append((value, fields[term]))
        for term, share in shares.items():
            examples[term].append((share, of_style[term]))
    return examples


def _compared(terms, pictures):
    """(picture, {term: share}) for the content, as a Style, and each style, with the terms that compare with it."""
    yield Style(pictures.content), {term: 1.0 for term in terms if term.kind != STYLE}
    styles = {term: pictures.styles_of(term.region) for term in terms if term.kind == STYLE}
    for style in pictures.styles:
        yield style, {term: share for term, shares in styles.items() for share, one in shares if one is style}
