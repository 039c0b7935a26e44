"""What is known of a film before it is painted, and what its frames are."""

from fractions import Fraction
from typing import Any, Callable, Iterator, NamedTuple, Optional, Tuple

from ..pictures.read import MAX_PIXELS
from ..system.errors import UsageError
from ..system.types import Size


class Colors(NamedTuple):
    """What the numbers in a film's pixels mean, as FFmpeg numbers it."""

    matrix: int  # never an unspecified one
    primaries: int
    transfer: int


class Film(NamedTuple):
    """A film as its file describes it; times are whole numbers of time_base seconds."""

    path: str
    size: Size  # (H, W) as it is shown: upright, with square pixels
    count: int  # type: ignore[assignment]  # its frames, as far as the file tells before they are decoded
    missing: int  # how many more there should be
    time_base: Fraction
    end: int  # when the last frame ends
    rate: Fraction  # frames a second, on average
    read: Callable
    longest: int  # how long a frame is shown at most
    colors: Optional[Colors] = None  # None for an animation, which is in sRGB
    sound: Tuple[int, ...] = ()  # the numbers of its streams of sound
    loops: Optional[int] = None  # how often an animation is shown, 0 for ever; None for other films

    @property
    def pause(self) -> Any:
        """For how many seconds a frame is shown at most."""
        return float(self.longest * self.time_base)

    def frames(self, lost: list) -> Iterator:
        """The Frames in their order, in bounded memory; what cannot be decoded adds its exception to the list lost."""
        return self.read(self, lost)


class Frame(NamedTuple):
    """One frame of a film."""

    pixels: Any  # (H, W, 3) uint8, in sRGB or what the film has instead
    at: int  # when it appears


def demand_size(path: str, height: int, width: int) -> None:
    """Raise UsageError if a frame has no pixels, or too many to be painted."""
    if not 0 < height * width <= MAX_PIXELS:
        raise UsageError(f"{path} has frames of {width}x{height} pixels; the limit is {MAX_PIXELS // 10**6} million")
