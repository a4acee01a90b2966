"""How a source that holds a device is closed from another thread without anybody waiting."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager


class Releasable(ABC):
    """A source whose device is released by `close`, or by whoever uses it at that moment."""

    def __init__(self) -> None:
        self._called_off = threading.Event()
        self._busy = threading.Lock()

    def close(self) -> None:
        """Release the device for good; safe to call twice, and from another thread at any time."""
        self._called_off.set()
        # whoever is using the device releases it on the way out, so that nobody waits here
        if self._busy.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._busy.release()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        """Keep `close` in another thread from the device; it is then released here."""
        try:
            with self._busy:
                yield
        finally:
            if self._called_off.is_set():
                self._release()

    @abstractmethod
    def _release(self) -> None:
        """Let go of the device, if it is held."""
