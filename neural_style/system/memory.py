"""How much memory there is: free, in all, and held already; and what the C library does with freed memory.

root is another file system in tests.
"""
import contextlib
import ctypes
import os
from pathlib import Path


def available(root="/"):
    """The bytes of memory that are free for use, the control group's limit counted; None where nobody tells."""
    free = _meminfo(root, "MemAvailable")
    return None if free is None else max(0, min([free] + [limit - used for limit, used in _groups(root)]))


def total(root="/"):
    """The bytes of memory that this process could have at most; None where nobody tells."""
    most = _meminfo(root, "MemTotal") or _of_the_system()
    return None if most is None else min([most] + [limit for limit, _ in _groups(root)])


def _of_the_system():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def resident(root="/"):
    """The bytes of memory that this process holds already."""
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


GROUP_FILES = {     # by version of control groups: where they are, limit, use, and in memory.stat the file cache
    1: ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
}


def _groups(root):
    """[(limit, used)] of the control groups that this process is in, from its own up."""
    found = []
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
            with contextlib.suppress(OSError, ValueError):      # a limit may be "max", a folder of another namespace
                limit = int((folder / limit_file).read_text())
                found.append((limit, int((folder / used_file).read_text()) - _reclaimable(folder, cache)))
    return found


def _reclaimable(folder, key):
    """The bytes of file cache that a group gives back when asked: they count as used and are as good as free."""
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.split()[0] == key), 0)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -3, -4, -8        # of glibc's malloc.h


def share_one_arena():
    """Have all threads that will be started share their freed memory, where there is glibc."""
    _mallopt((M_ARENA_MAX, 1))


def keep_what_is_freed(keep):
    """Have the C library keep freed memory for the next array, which saves the system's zeroing it; or give it back.

    Arrays above 32 MB, the most that glibc takes for a threshold, are given back all the same. Where there is no glibc
    this does nothing.
    """
    if keep:
        _mallopt((M_MMAP_MAX, 65536), (M_MMAP_THRESHOLD, 2 ** 25), (M_TRIM_THRESHOLD, -1))
    else:
        _mallopt((M_MMAP_MAX, 65536), (M_MMAP_THRESHOLD, 2 ** 20), (M_TRIM_THRESHOLD, 2 ** 20))


def _mallopt(*settings):
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for setting in settings:
        mallopt(*setting)


def gigabytes(count):
    return f"{count / 1e9:.1f} GB" if count < 9.95e9 else f"{count / 1e9:.0f} GB"
