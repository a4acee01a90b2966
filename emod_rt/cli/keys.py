"""Single keys from the terminal while a command runs, without Enter and without a thread."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator

from emod_rt.cli.keyboard import in_front, keyboard

_NAMES = {b"\x1b[D": "left", b"\x1b[C": "right", b"\x1bOD": "left", b"\x1bOC": "right", b" ": "space"}
# a key, or the sequence that a terminal sends for one
_KEY = re.compile(rb"\x1b[\[O][0-9;]*[@-~]|.", re.DOTALL)
_LONGEST = 256

Pressed = Callable[[], list[str]]


@contextlib.contextmanager
def keys() -> Iterator[Pressed | None]:
    """Give a function that returns the keys pressed since it was last called, at once.

    Keys are named "left", "right", "space", or as what they write. Ctrl-C stays a signal. None is given where
    no key can be read: no terminal, a command in the background, or Windows. The terminal is as before
    afterwards, however the command ends.
    """
    terminal = keyboard()
    # touching the terminal from the background would stop the program
    if terminal is None or not in_front(terminal):
        yield None
    else:
        with _unbuffered(terminal) as pressed:
            yield pressed


@contextlib.contextmanager
def _unbuffered(terminal: int) -> Iterator[Pressed]:
    import select
    import termios
    import tty

    def pressed() -> list[str]:
        if not (in_front(terminal) and select.select([terminal], [], [], 0)[0]):
            return []
        found = _KEY.findall(os.read(terminal, _LONGEST))
        return [_NAMES.get(key, key.decode(errors="replace")) for key in found]

    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield pressed
    finally:
        if in_front(terminal):
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
