"""The painted frames of a film that is not complete yet: files in a hidden folder next to the output."""

import contextlib
import fcntl
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from ..pictures import write
from ..system import files
from ..system.errors import UsageError

ABOUT, LOCK = "film.json", "lock"


class Kept:
    """The frames painted so far, numbered from 1, and the unrounded array of the last one."""

    def __init__(self, output):
        folder, name = os.path.split(os.path.abspath(output))
        self.folder = Path(folder, f".{name}.frames")

    def picture(self, number):
        """The path of a painted frame."""
        return self.folder / f"{number:06}.png"

    def raw(self, number):
        """The path of a painted frame as the network sees it, (1, 3, H, W) float32."""
        return self.folder / f"{number:06}.npy"

    def begin(self, fingerprint, overwrite=False):
        """Prepare the folder; returns the number of frames already painted for a film with this fingerprint.

        Frames of other films are removed only if overwrite is set. No other process can begin until this one ends.
        """
        with files.writing(self.folder):
            known = self._fingerprint()
            if known is None and self.folder.exists() and set(os.listdir(self.folder)) - {LOCK}:
                raise UsageError(f"{self.folder} already exists and holds no painted frames; name another --output")
            write.prepare_folder(self.folder)
            self._lock()
            if known not in (None, fingerprint):
                count = len(list(self.folder.glob("*.png")))
                if count and not overwrite:
                    raise UsageError(
                        f"{self.folder} holds {count} frames of another film, or painted with other flags; remove "
                        "them with --overwrite, or name another --output"
                    )
                for path in self.folder.iterdir():
                    path.unlink() if path.name != LOCK else None
            if known != fingerprint:
                with files.atomic(self.folder / ABOUT) as temporary:
                    temporary.write_text(json.dumps({"fingerprint": fingerprint}))
            return self._count()

    def _lock(self):
        self._locked = open(self.folder / LOCK, "w")  # noqa: SIM115 (closed, and so unlocked, with the process)
        try:
            fcntl.flock(self._locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another command is painting into {self.folder}; wait for it, or name another --output"
            ) from None

    def _fingerprint(self):
        """The fingerprint of the film whose frames are in the folder, or None."""
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            return str(json.loads((self.folder / ABOUT).read_text())["fingerprint"])
        return None

    def _count(self):
        """The number of frames from the first on; 0 if the last one, which the next depends on, is incomplete."""
        numbers = {
            int(found[1]) for found in map(re.compile(r"(\d{6,})\.png").fullmatch, os.listdir(self.folder)) if found
        }
        count = 0
        while count + 1 in numbers:
            count += 1
        with contextlib.suppress(OSError, ValueError, EOFError):
            np.load(self.raw(count), allow_pickle=False)
            return count
        return 0

    def keep(self, number, raw, pixels):
        """Keep a painted frame, after what is needed to continue from it."""
        write.save_raw(raw, self.raw(number))
        with files.atomic(self.picture(number)) as temporary, open(temporary, "wb") as file:
            Image.fromarray(pixels).save(file, "PNG", compress_level=1)

    def forget_raw(self, number):
        """Remove what only the frame after this one needed."""
        with contextlib.suppress(FileNotFoundError):
            self.raw(number).unlink()

    def frames(self, times, end):
        """(pixels, at, until) of every frame; times has when each appears, and end is when the last one ends."""
        for number, (at, until) in enumerate(zip(times, [*times[1:], max(end, times[-1] + 1)]), 1):
            with Image.open(self.picture(number)) as picture:
                yield np.asarray(picture.convert("RGB")), at, until

    def remove(self):
        """Remove the folder once the film is there."""
        shutil.rmtree(self.folder, ignore_errors=True)
