"""Asking the lab network who is there, without ever waiting for it."""

import threading
from types import TracebackType
from typing import Any, Self

from emod_rt import liblsl

_FORGET_S = 2.0  # without an answer for so long, a stream is gone; it is asked twice a second


class Search:
    """Streams that answer at this moment, from liblsl's own search in the background.

    liblsl's search that waits for its result is not used: on a busy machine it now and then waits five
    seconds longer than it is told to. Use as a context manager; leaving it waits for nobody.

    Parameters
    ----------
    predicate : str
        XPath predicate of the streams that are sought; "true()" means all.
    """

    def __init__(self, predicate: str) -> None:
        self._resolver: Any = liblsl.load().ContinuousResolver(pred=f"({predicate})", forget_after=_FORGET_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        holder = [self._resolver]
        self._resolver = None
        threading.Thread(target=holder.clear, name="emod-lsl-closing").start()

    def results(self) -> list[Any]:
        """Return who has answered lately, as pylsl's StreamInfo."""
        return list(self._resolver.results())
