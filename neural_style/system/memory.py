"""How much memory is free, exists, and is in use by this process; and what the C library does with freed memory.

Tests set root to a file system of their own.
"""

import contextlib
import ctypes
import os
from pathlib import Path
from typing import List, Optional, Tuple

from .types import PathLike


def available(root: PathLike = "/") -> Optional[int]:
    """The bytes of memory available, within the limits of control groups; None if the system does not say."""
    free = _meminfo(root, "MemAvailable")
    return None if free is None else max(0, min([free] + [limit - used for limit, used in _groups(root)]))


def total(root: PathLike = "/") -> Optional[int]:
    """The most bytes of memory that this process could have; None if the system does not say."""
    most = _meminfo(root, "MemTotal") or _of_the_system()
    return None if most is None else min([most] + [limit for limit, _ in _groups(root)])


def _of_the_system():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def resident(root: PathLike = "/") -> int:
    """The bytes of memory that this process has already."""
    try:
        return int((Path(root) / "proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _meminfo(root, key):
    try:
        lines = (Path(root) / "proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":")), None)


GROUP_FILES = {  # by version of control groups: folder, files of limit and usage, key of the file cache in memory.stat
    1: ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
}


def _groups(root: PathLike) -> List[Tuple[int, int]]:
    """[(limit, used)] for the control groups that this process is in, starting from its own."""
    found: List[Tuple[int, int]] = []
    try:
        lines = (Path(root) / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        _, controllers, path = line.split(":", 2)
        version = 2 if not controllers else 1 if "memory" in controllers.split(",") else None
        if version is None:
            continue
        mount, limit_file, used_file, cache = GROUP_FILES[version]
        top = Path(root) / mount
        own = top / path.lstrip("/")
        for folder in [own] + [parent for parent in own.parents if parent == top or top in parent.parents]:
            with contextlib.suppress(OSError, ValueError):  # the limit may be "max", the folder invisible
                limit = int((folder / limit_file).read_text())
                found.append((limit, int((folder / used_file).read_text()) - _reclaimable(folder, cache)))
    return found


def _reclaimable(folder, key):
    """The bytes of file cache that a group can give back: they count as used but are as good as free."""
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.split()[0] == key), 0)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -3, -4, -8  # of glibc's malloc.h


def share_one_arena() -> None:
    """Make all threads started from now on share their freed memory, if the C library is glibc."""
    _mallopt((M_ARENA_MAX, 1))


def keep_freed(keep: bool) -> None:
    """Make the C library keep freed memory for the next array, which the system then need not zero; or give it back.

    Arrays above 32 MB, glibc's largest threshold, are given back in any case. Without glibc this does nothing.
    """
    if keep:
        _mallopt((M_MMAP_MAX, 65536), (M_MMAP_THRESHOLD, 2**25), (M_TRIM_THRESHOLD, -1))
    else:
        _mallopt((M_MMAP_MAX, 65536), (M_MMAP_THRESHOLD, 2**20), (M_TRIM_THRESHOLD, 2**20))


def _mallopt(*settings):
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for setting in settings:
        mallopt(*setting)


def gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count < 9.95e9 else f"{count / 1e9:.0f} GB"
