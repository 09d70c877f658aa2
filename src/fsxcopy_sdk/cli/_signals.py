"""
The signals that end a command: its tasks are cancelled, so that it can report unfinished work.

This module is imported before all others of the command, so that a signal ends the imports
too; it must not import slow modules.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import asyncio

# Not each of them exists on each system: Windows has no SIGHUP and others have no SIGBREAK,
# which is Ctrl-Break, or the closing of a console.
_EXIT_CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGBREAK": 130}

# Seconds within which signals are one event: a terminal that closes sends SIGHUP, its shell
# sends another one, and `timeout` signals the process and its group.
_ONE_EVENT = 0.1

_SHOW_CURSOR = b"\x1b[?25h"


class Interruption(KeyboardInterrupt):
    """A signal came while nothing ran that could be cancelled."""


class Signals:
    """
    Receive signals inside ``with``, and restore the handlers that were there before.

    A handler other than Python's own stays, and so does a signal that is ignored, as SIGHUP
    is by ``nohup``. Outside the main thread nothing is received.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        """The first signal that came."""
        self._received_at = 0.0
        self._stop: Callable[[], object] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self.name = None
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name) for name in _EXIT_CODES if hasattr(signal, name)]
            for number in numbers:
                handler = signal.getsignal(number)
                if handler in (signal.SIG_DFL, signal.default_int_handler):
                    self._before[number] = handler
                    # Explicit, because the kernel ignores default actions for process 1.
                    signal.signal(number, self._receive)
        return self

    def __exit__(
        self,
        cls: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    @property
    def exit_code(self) -> int:
        """The exit code of a command that was interrupted."""
        return _EXIT_CODES[self.name or "SIGINT"]

    @contextmanager
    def calling(self, stop: Callable[[], object] | None) -> Iterator[None]:
        """Let the first signal, which may have come, call *stop*; None raises `Interruption`."""
        before, self._stop = self._stop, stop
        try:
            if self.name is not None:
                self._interrupt()
            yield
        finally:
            self._stop = before

    @contextmanager
    def waking(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Wake *loop* for each signal, also for one that comes just before it sleeps."""
        # Python calls a handler between two instructions, and so after a system call that
        # began when the signal had come. Windows' loop is woken without this.
        import socket  # noqa: PLC0415 - said above

        reader, writer = socket.socketpair()
        with reader, writer, ExitStack() as stack:
            reader.settimeout(0)
            writer.settimeout(0)
            with suppress(NotImplementedError):
                loop.add_reader(reader, reader.recv, 64)
                stack.callback(loop.remove_reader, reader)
                if self._before:
                    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
                    stack.callback(signal.set_wakeup_fd, before)
            yield

    def _receive(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        if self.name is None:
            self.name, self._received_at = signal.Signals(number).name, now
            self._interrupt()
        elif now - self._received_at > _ONE_EVENT:
            _end_at_once(_EXIT_CODES[signal.Signals(number).name])

    def _interrupt(self) -> None:
        if self._stop is None:
            raise Interruption
        self._stop()


def _end_at_once(code: int) -> None:
    """End the process, whatever it does: it may be blocked by what reads its output."""
    stream = sys.__stderr__
    with suppress(OSError, ValueError):
        # A live display hides the cursor. Windows sets no TERM, but its shells may, and before
        # Python 3.12 it cannot switch off blocking.
        has_cursor = stream is not None and stream.isatty() and "TERM" in os.environ
        if stream is not None and has_cursor and hasattr(os, "set_blocking"):
            os.set_blocking(stream.fileno(), False)  # its output may be stopped
            try:
                os.write(stream.fileno(), _SHOW_CURSOR)
            finally:
                os.set_blocking(stream.fileno(), True)  # it is the shell's too
    os._exit(code)


signals = Signals()
"""Those of this process."""
