"""A terminal for the programs under test."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator

import pytest

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(argv: list[str], replies: dict[str, str]) -> tuple[int, str]:
    """Run a program on a terminal of 100 columns; answer each text with its reply, once."""
    code, shown = shown_on_a_terminal(argv, replies)
    return code, ESCAPES.sub("", shown)


def shown_on_a_terminal(argv: list[str], replies: dict[str, str]) -> tuple[int, str]:
    """Run a program as `on_a_terminal` does, and keep the escapes of what it shows."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        os.execv(argv[0], argv)
    shown, end = "", time.monotonic() + 40
    with contextlib.suppress(OSError):  # the terminal is gone when its program has left
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.05)[0]:
                data = os.read(terminal, 65536)
                if not data:
                    break
                shown += data.decode(errors="replace")
            for text in [text for text in replies if text in ESCAPES.sub("", shown)]:
                # Nobody types in the instant between the question and the wait for its answer,
                # in which Python itself can miss a signal until the next key.
                time.sleep(0.2)
                os.write(terminal, replies.pop(text).encode())
    # In this order: a program that is just leaving would be hung up on otherwise.
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return code, shown


@contextlib.contextmanager
def own_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give this process a terminal; the list holds what it showed once the block is over."""
    reader, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    chunks: list[bytes] = []
    shown: list[str] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # the other side is closed
            while data := os.read(reader, 65536):
                chunks.append(data)

    thread = threading.Thread(target=read)
    thread.start()
    with (
        os.fdopen(terminal, "w") as out,
        open(os.dup(terminal)) as stdin,  # noqa: PTH123  # a descriptor
        monkeypatch.context() as patch,
    ):
        patch.setattr(sys, "stdin", stdin)
        patch.setattr(sys, "stdout", out)
        yield shown
    thread.join()
    os.close(reader)
    shown.append(ESCAPES.sub("", b"".join(chunks).decode()))
