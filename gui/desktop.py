"""What every window needs of the machine: Qt itself, and signals that close it."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication


def no_display() -> bool:
    """Whether a window would have no display to open on (Qt would end the program)."""
    if QCoreApplication.instance() is not None or os.environ.get("QT_QPA_PLATFORM"):
        return False
    return sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def application(*, offscreen: bool) -> QCoreApplication:
    """Return Qt's application, made when there is none."""
    running = QCoreApplication.instance()
    if running is not None:
        return running
    return QApplication(["emod-rt", "-platform", "offscreen"] if offscreen else ["emod-rt"])


@contextmanager
def closing_signals(close: Callable[[], object]) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM close a window as a click would."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: close()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
