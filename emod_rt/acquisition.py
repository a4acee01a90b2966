"""The source thread: whatever a source delivers goes into the ring, whoever reads it."""

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from emod_model.errors import EmodError, SourceError
from emod_model.signal.ring import RingBuffer
from emod_rt.clock import Clock
from emod_rt.sources.base import Chunk, Source, StreamInfo, notices_of

_READ_TIMEOUT_S = 0.05


class Acquisition:
    """Reads a source in a thread of its own and keeps the newest samples in a ring.

    The reader takes what is new with `take`. When it is away for longer than the ring holds, what was
    overwritten is a hole to it, and the source thread never waits. A `tap`, set before `start`, is
    handed every chunk at once; it must not block.

    Parameters
    ----------
    source : Source
        Not yet open.
    clock : Clock
        For the time of the last arrival.
    ring_s : float
        Seconds kept.
    """

    def __init__(self, source: Source, clock: Clock, ring_s: float = 30.0) -> None:
        self._source = source
        self._clock = clock
        self._ring_s = ring_s
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._heads: deque[tuple[int, int, float]] = deque()
        self._ended = False
        self.tap: Callable[[Chunk], None] | None = None
        self.error: EmodError | None = None
        self.last_arrival = 0.0
        self.info: StreamInfo | None = None

    def open(self, wait_s: float) -> StreamInfo:
        """Connect; errors of the source pass through with the device released."""
        try:
            self.info = self._source.open(wait_s)
        except BaseException:
            self._source.close()
            raise
        capacity = max(1, round(self._ring_s * self.info.sfreq))
        self._data = RingBuffer(len(self.info.channels), capacity)
        self._times = RingBuffer(1, capacity, np.float64)
        self.last_arrival = self._clock.now()
        return self.info

    def start(self) -> None:
        """Begin to read."""
        self._thread = threading.Thread(target=self._run, name="emod-source")
        self._thread.start()

    def cancel(self) -> None:
        """Release the source so that a waiting `open` in another thread ends."""
        self._source.close()

    def stop(self) -> None:
        """Ask the thread to end and release the source; returns when it has."""
        self._stop.set()
        with self._news:
            self._news.notify_all()
        if self._thread is None:
            # whoever waits for samples hears that none come
            self._ended = True
            self._source.close()
        elif self._thread is not threading.current_thread():
            self._thread.join()

    def take(self, timeout_s: float) -> list[Chunk] | None:
        """Return what is new, waiting at most `timeout_s`; [] when nothing is, None when no more comes."""
        with self._news:
            if not self._heads and not self._ended:
                self._news.wait(timeout_s)
            if not self._heads:
                return None if self._ended else []
            chunks = [chunk for head in self._heads if (chunk := self._copy(*head)) is not None]
            self._heads.clear()
        return chunks

    def notices(self) -> tuple[str, ...]:
        """Return one sentence each on what befell the source so far."""
        return notices_of(self._source)

    def _copy(self, first: int, count: int, arrival: float) -> Chunk | None:
        kept = max(first, self._data.start)
        count -= kept - first
        if count <= 0:
            return None
        data = self._data.view(kept, count).copy()
        return Chunk(kept, data, self._times.view(kept, count)[0].copy(), arrival)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                chunks = self._source.read(_READ_TIMEOUT_S)
                if chunks is None:
                    break
                if chunks:
                    self._store(chunks)
        except EmodError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - a driver may raise anything; the reader must hear of it
            self.error = SourceError(
                f"the source failed unexpectedly ({type(error).__name__}: {error}); "
                "start again, and report it if it stays"
            )
            self.error.__cause__ = error
        finally:
            self._source.close()
            with self._news:
                self._ended = True
                self._news.notify_all()

    def _store(self, chunks: list[Chunk]) -> None:
        with self._news:
            for chunk in chunks:
                self._data.write(chunk.first_index, chunk.data)
                self._times.write(chunk.first_index, chunk.times[None])
                self._heads.append((chunk.first_index, chunk.data.shape[1], chunk.arrival))
                self.last_arrival = chunk.arrival
                if self.tap is not None:
                    self.tap(chunk)
            while self._heads and sum(self._heads[0][:2]) <= self._data.start:
                self._heads.popleft()
            self._news.notify_all()
