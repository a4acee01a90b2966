"""A source that ends after so many seconds of signal."""

from emod_rt.clock import Clock
from emod_rt.sources.base import Chunk, Source, StreamInfo, notices_of

# a source that has gone quiet must not keep a timed run from ending
_GRACE_S = 1.0


class Limited:
    """Another source, cut at an absolute sample index.

    Parameters
    ----------
    source : Source
        What is cut.
    duration_s : float
        Seconds of signal, lost samples counted.
    clock : Clock
        Ends the run of a source that is quiet when the time is up.
    """

    def __init__(self, source: Source, duration_s: float, clock: Clock) -> None:
        self._source = source
        self._duration_s = duration_s
        self._clock = clock
        self._limit: int | None = None
        self._sfreq = 0.0
        self._started = self._heard = 0.0
        self._full = False

    def open(self, wait_s: float) -> StreamInfo:
        """Connect within `wait_s` seconds."""
        info = self._source.open(wait_s)
        self._sfreq = info.sfreq
        self._started = self._heard = self._clock.now()
        return info

    def read(self, timeout_s: float) -> list[Chunk] | None:
        """Return what has arrived before the limit; None after it."""
        if self._full:
            return None
        chunks = self._source.read(timeout_s)
        now = self._clock.now()
        if not chunks:
            quiet = now > self._heard + _GRACE_S and now > self._started + self._duration_s
            return None if quiet else chunks
        self._heard = now
        if self._limit is None:
            self._limit = chunks[0].first_index + round(self._duration_s * self._sfreq)
            self._started = now
        kept = []
        for chunk in chunks:
            room = self._limit - chunk.first_index
            self._full = self._full or room <= chunk.data.shape[1]
            if room > 0:
                kept.append(Chunk(chunk.first_index, chunk.data[:, :room], chunk.times[:room], chunk.arrival))
        return kept

    def notices(self) -> tuple[str, ...]:
        """Return what the source has to say."""
        return notices_of(self._source)

    def close(self) -> None:
        """Release the source."""
        self._source.close()
