"""How much memory there is, read from file trees as different systems have them."""

import pytest

from neural_style.system import memory


def tree(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MEMORY = {"proc/meminfo": "MemTotal:  16000000 kB\nMemFree:  100 kB\nMemAvailable:   8000000 kB\n"}


@pytest.mark.parametrize(
    "files, free, most",
    [
        ({}, 8_192_000_000, 16_384_000_000),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": "max\n",
                "sys/fs/cgroup/a/b/memory.current": "7\n",
                "sys/fs/cgroup/a/memory.max": "4000000000\n",
                "sys/fs/cgroup/a/memory.current": "3000000000\n",
                "sys/fs/cgroup/a/memory.stat": "anon 5\ninactive_file 500000000\n",
            },
            1_500_000_000,
            4_000_000_000,
        ),
        # a container sees its group at the top
        (
            {
                "proc/self/cgroup": "0::/docker/x\n",
                "sys/fs/cgroup/memory.max": "2000000000",
                "sys/fs/cgroup/memory.current": "1500000000",
            },
            500_000_000,
            2_000_000_000,
        ),
        (
            {
                "proc/self/cgroup": "3:cpu,cpuacct:/\n2:memory:/job\n",
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "3000000000",
                "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "2800000000",
                "sys/fs/cgroup/memory/job/memory.stat": "inactive_file 1\ntotal_inactive_file 100000000\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "5000000000",
            },
            300_000_000,
            3_000_000_000,
        ),
        # more is used than allowed
        (
            {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000", "sys/fs/cgroup/memory.current": "2000"},
            0,
            1000,
        ),
    ],
)
def test_what_is_free_counts_control_groups(tmp_path, files, free, most):
    root = tree(tmp_path, {**MEMORY, **files})
    assert memory.available(root) == free and memory.total(root) == most


def test_nothing_is_known_where_the_system_does_not_tell(tmp_path):
    assert memory.available(tmp_path) is None and memory.resident(tmp_path) == 0
