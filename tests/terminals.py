"""A command on a terminal of its own."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import termios


def on_terminal(words, columns=80, ctrl_c_after=None):
    """What a command shows on a terminal of so many columns, and its exit code; Ctrl-C is typed after a pattern."""
    child, ours = pty.fork()
    if child == 0:  # in the background Ctrl-C is ignored
        with contextlib.suppress(BaseException):
            fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("4H", 25, columns, 0, 0))
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvp(words[0], words)
        os._exit(127)
    shown, typed = b"", ctrl_c_after is None
    with contextlib.suppress(OSError):  # at its end
        while True:
            shown += os.read(ours, 10000)
            if not typed and re.search(ctrl_c_after.encode(), shown):
                typed = True
                os.write(ours, b"\x03")
    os.close(ours)
    return shown.decode(), os.WEXITSTATUS(os.waitpid(child, 0)[1])
