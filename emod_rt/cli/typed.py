"""Markers typed in the terminal while a command runs."""

import codecs
import contextlib
import os
import re
import select
import signal
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console
from rich.text import Text

from emod_model.errors import EmodError
from emod_rt.cli.keyboard import in_front, keyboard
from emod_rt.markers import Marker

if sys.platform != "win32":
    import termios

_LOOK_S = 0.1
_LONGEST = 200  # characters
# arrows and the like; the escape key alone is what is left of them
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.)")
_ESCAPE, _CLEAR, _ERASE, _ENTER = "\x1b", "\x15", "\x7f\b", "\r\n"


class Markable(Protocol):
    """What a marker is for: a session, or a recording without one."""

    def moment(self) -> float | None:
        """Return this moment for a `mark` whose text comes later."""
        ...

    def mark(self, text: str, t: float | None = None) -> Marker:
        """Mark a moment."""
        ...


class Line:
    """What has been typed since the last Enter, and when it began."""

    def __init__(self) -> None:
        self.text = ""
        self._began: float | None = None

    def feed(self, keys: str, moment: Callable[[], float | None]) -> list[tuple[str, float | None]]:
        """Take keys as a terminal sends them; return each line that Enter ended, and when its first key came.

        Parameters
        ----------
        keys : str
            What came at once.
        moment : callable
            Tells the time.
        """
        ended = []
        for key in _SEQUENCE.sub("", keys):
            if key in _ENTER and self.text.strip():
                ended.append((self.text.strip(), self._began))
            if key in (*_ENTER, _ESCAPE, _CLEAR):
                self.text = ""
            elif key in _ERASE:
                self.text = self.text[:-1]
            elif key.isprintable() and len(self.text) < _LONGEST:
                self._began = self._began if self.text else moment()
                self.text += key
        return ended


class TypedMarkers:
    """Reads the keyboard in a thread of its own, where standard input is a terminal, and marks what it says.

    A program in the background, or without a terminal, is left alone: it is never stopped for reading.

    Parameters
    ----------
    target : Markable
        What is marked.
    console : Console
        Where it is confirmed; when it is no terminal, the terminal itself shows what is typed.
    """

    def __init__(self, target: Markable, console: Console) -> None:
        self._target = target
        self._console = console
        self._line = Line()
        self._fd = keyboard()
        self._saved: list[Any] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emod-keyboard")
        self.changed: Callable[[], None] = lambda: None

    def prompt(self) -> list[Text]:
        """Return the line that shows what is typed; none where nothing can be."""
        if self._saved is None or self._stop.is_set() or not self._console.is_terminal:
            return []
        if self._line.text:
            return [
                Text(f"marker: {self._line.text}\N{LEFT ONE EIGHTH BLOCK}", style="bold green", no_wrap=True),
                Text("Enter marks the moment of its first key, Esc clears", style="dim"),
            ]
        hint = "marker: type and press Enter; its time is that of the first key"
        return [Text(hint, style="dim", no_wrap=True), Text("")]

    def __enter__(self) -> Self:
        if self._fd is not None:
            # a job sent to the background must go on when it is caught reading or restoring
            self._before = [(n, signal.signal(n, signal.SIG_IGN)) for n in (signal.SIGTTIN, signal.SIGTTOU)]
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._fd is None:
            return
        self._thread.join()
        if self._saved is not None and in_front(self._fd):
            # a terminal that has gone has nothing to restore; what is half typed is not for the shell
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSAFLUSH, self._saved)
        for number, handler in self._before:
            signal.signal(number, handler)

    def _run(self) -> None:
        assert self._fd is not None
        decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        while not self._stop.is_set():
            try:
                if not in_front(self._fd):
                    self._stop.wait(_LOOK_S)
                    continue
                self._listen(self._fd)
                if not select.select([self._fd], [], [], _LOOK_S)[0]:
                    continue
                typed = os.read(self._fd, 1024)
            except (OSError, termios.error):
                # in the background since it was looked, or the terminal has gone
                self._stop.wait(_LOOK_S)
                continue
            if not typed:
                return
            for text, t in self._line.feed(decoder.decode(typed), self._target.moment):
                self._mark(text, t)
            self.changed()

    def _listen(self, fd: int) -> None:
        """Ask the terminal for each key; again after a shell had it."""
        mode = termios.tcgetattr(fd)
        if not mode[3] & termios.ICANON:
            return
        self._saved = self._saved or list(mode)
        self._line = Line()
        mode[3] &= ~(termios.ICANON | (termios.ECHO if self._console.is_terminal else 0))
        # keys from before were for somebody else
        termios.tcsetattr(fd, termios.TCSAFLUSH, mode)
        self.changed()

    def _mark(self, text: str, t: float | None) -> None:
        try:
            marker = self._target.mark(text, t)
        except EmodError as error:
            self._console.print(Text(str(error), style="yellow"), soft_wrap=True)
        else:
            self._console.print(
                Text(f"marker at {marker.t:.3f} s: {marker.text}", style="green"), soft_wrap=True
            )
