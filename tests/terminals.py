"""A command on a terminal of its own."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import termios
import time

from forks import be_a_process


def on_terminal(function, columns=80, ctrl_c_after=None, pause=0):
    """What a fork shows on a terminal, and its exit code; Ctrl-C is typed after a pattern and a pause."""
    child, ours = pty.fork()
    if child == 0:
        fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("4H", 25, columns, 0, 0))
        be_a_process(function)
    shown, typed = b"", ctrl_c_after is None
    with contextlib.suppress(OSError):  # at its end
        while True:
            shown += os.read(ours, 10000)
            if not typed and re.search(ctrl_c_after.encode(), shown):
                typed = True
                time.sleep(pause)
                os.write(ours, b"\x03")
    os.close(ours)
    return shown.decode(), os.WEXITSTATUS(os.waitpid(child, 0)[1])
