"""Sinks never slow the pipeline: each works in a thread of its own behind a bounded queue."""

import queue
import threading
from typing import Any, Generic, Protocol, TypeVar

_QUEUE = 2048
Item = TypeVar("Item")
Taken = TypeVar("Taken", contravariant=True)


class Sink(Protocol[Taken]):
    """Anything that estimates, or samples, go to."""

    name: str

    def push(self, item: Taken, /) -> None:
        """Take one; may raise OSError when it is broken."""
        ...

    def close(self, summary: dict[str, Any]) -> None:
        """Finish; `summary` is the object of the last JSON line."""
        ...


class Detached(Generic[Item]):
    """Runs a sink in a thread of its own.

    A sink that is slow loses items, counted in `dropped`; one that breaks is left alone, and
    `broken` says why. Neither holds the pipeline up.

    Parameters
    ----------
    sink : Sink
        What does the work.
    capacity : int
        Items that may wait.
    """

    def __init__(self, sink: Sink[Item], capacity: int = _QUEUE) -> None:
        self.dropped = 0
        self.broken: str | None = None
        self.name = sink.name
        self._sink = sink
        self._queue: queue.Queue[Item | None] = queue.Queue(capacity)
        self._summary: dict[str, Any] = {}
        self._finish = True
        self._thread = threading.Thread(target=self._run, name=f"emod-sink-{sink.name}", daemon=True)
        self._thread.start()

    def push(self, item: Item) -> None:
        """Hand one over, at once."""
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self.dropped += 1

    def close(self, summary: dict[str, Any], timeout_s: float = 2.0) -> None:
        """Let the sink finish what it has, at most `timeout_s`: a reader that hangs must not hang the end."""
        self._summary = summary
        try:
            self._queue.put(None, timeout=timeout_s)
            self._thread.join(timeout_s)
        except queue.Full:
            self.dropped += self._queue.qsize()
        if self._thread.is_alive():
            self.broken = self.broken or f"{self.name} did not finish within {timeout_s:g} s"

    def abandon(self) -> None:
        """End the thread without finishing the sink: the session never began."""
        self._finish = False
        self.close({})

    def _run(self) -> None:
        try:
            for item in iter(self._queue.get, None):
                self._sink.push(item)
        except Exception as error:  # noqa: BLE001 - whatever a sink does, the pipeline goes on
            self._break(error)
            self.dropped += sum(1 for _ in iter(self._queue.get, None))
            return
        try:
            if self._finish:
                self._sink.close(self._summary)
        except Exception as error:  # noqa: BLE001 - as above, at its end
            self._break(error)

    def _break(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else None
        self.broken = f"{self.name} is broken: {reason or error}"
