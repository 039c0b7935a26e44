"""The painted frames of a film that is not complete yet: files in a hidden folder next to the output."""

import contextlib
import os
import re
from pathlib import Path
from typing import Any, Iterator, List, Tuple

import numpy as np
from PIL import Image

from ..pictures import write
from ..saved import checks, records
from ..system.errors import NeuralStyleError, UsageError
from ..system.files import atomic, writing
from ..system.types import PathLike

ABOUT = "film.json"
FIELDS = {"fingerprint": checks.is_text}
# What painting a film leaves in the folder; `lock` is from an earlier version.
OURS = re.compile(
    r"film\.json|lock|\d{6,}\.(png|npy)|(content|before)\.png|\.?painting(_e(%s|\d+))?\.png.*|\.[0-9a-f]{16}(\.\w+)?"
)


class Kept:
    """The frames painted so far, numbered from 1, and the unrounded array of the last one; size is (H, W)."""

    def __init__(self, output: PathLike, size: Any) -> None:
        folder, name = os.path.split(os.path.abspath(output))
        self.folder, self.size = Path(folder, f".{name}.frames"), tuple(size)

    def picture(self, number: int) -> Path:
        """The path of a painted frame."""
        return self.folder / f"{number:06}.png"

    def raw(self, number: int) -> Path:
        """The path of a painted frame as the network sees it, (1, 3, H, W) float32."""
        return self.folder / f"{number:06}.npy"

    def begin(self, fingerprint: str, overwrite: bool = False) -> int:
        """Prepare the folder; returns the number of frames already painted for a film with this fingerprint.

        Frames of other films are removed only if overwrite is set, and other files never. Whole frames after a damaged
        one are removed as well: each depends on the one before.
        """
        if self.folder.is_symlink():
            raise UsageError(f"{self.folder} is a link and not the folder of a film; name another --output")
        write.prepare_folder(self.folder)
        with writing(self.folder):
            frames = sorted(self.folder.glob("[0-9]*.png"), key=lambda path: (len(path.name), path.name))
            if self._fingerprint(overwrite) != fingerprint:
                if frames and not overwrite:
                    raise UsageError(
                        f"{self.folder} holds {len(frames)} frames of another film, or painted with other flags; "
                        "remove them with --overwrite, or name another --output"
                    )
                self._empty()
                records.write(self.folder / ABOUT, {"fingerprint": fingerprint})
            done = self._count()
            for path in frames[done:]:
                path.unlink(missing_ok=True)
            return done

    def _empty(self):
        """Remove what painting a film leaves in the folder."""
        for name in filter(OURS.fullmatch, os.listdir(self.folder)):
            os.unlink(self.folder / name)

    def _fingerprint(self, overwrite):
        """The fingerprint of the film whose frames are there, or None; of a damaged record only if overwritten."""
        path = self.folder / ABOUT
        if not os.path.lexists(path):
            return None
        try:
            with records.distrusting(path, "the record of a film", "start over with --overwrite"):
                known = records.read(path)
                checks.demand(FIELDS, known)
                return known["fingerprint"]
        except UsageError:
            if overwrite:
                return None
            raise

    def _count(self):
        """The number of whole frames from the first on; 0 if the array that the next one needs is not."""
        count = 0
        while self._is_whole(count + 1):
            count += 1
        try:
            checks.of_shape(records.array(self.raw(count)), (1, 3, *self.size))
            return count
        except Exception:  # a damaged file can be wrong in any way
            return 0

    def _is_whole(self, number):
        """Whether a frame can be read, and is of the film's size."""
        try:
            with records.opened(self.picture(number), records.LARGEST_ARRAY) as file:
                picture = Image.open(file, formats=["PNG"])
                picture.load()
                return picture.size == self.size[::-1]
        except Exception:  # a damaged file can be wrong in any way
            return False

    def keep(self, number: int, raw: np.ndarray, pixels: np.ndarray) -> None:
        """Keep a painted frame, after what is needed to continue from it."""
        write.save_raw(raw, self.raw(number))
        with atomic(self.picture(number)) as temporary, open(temporary, "wb") as file:
            Image.fromarray(pixels).save(file, "PNG", compress_level=1)

    def frames(self, times: List[int], end: int) -> Iterator[Tuple[np.ndarray, int, int]]:
        """(pixels, at, until) of every frame; times has when each appears, and end is when the last one ends."""
        for number, (at, until) in enumerate(zip(times, [*times[1:], max(end, times[-1] + 1)]), 1):
            try:
                with Image.open(self.picture(number)) as picture:
                    pixels = np.asarray(picture.convert("RGB"))
            except Exception as error:  # somebody has changed it since
                raise NeuralStyleError(
                    f"{self.picture(number)} cannot be read any more; run the same command again to paint it anew"
                ) from error
            yield pixels, at, until

    def remove(self) -> None:
        """Remove the folder once the film is there, but no file of somebody else in it."""
        with contextlib.suppress(OSError):
            self._empty()
            self.folder.rmdir()
