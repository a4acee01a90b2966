"""What a run counts, and the summary line."""

from typing import Any

import numpy as np
import numpy.typing as npt

from emod_rt.estimate import Estimate

# enough for a day at two windows a second; older ones leave, so that memory stays flat
_KEPT = 200_000


class _Newest:
    """The newest rows of a run, in memory that is taken whole at the start: hours add nothing to it."""

    def __init__(self, columns: int, dtype: npt.DTypeLike) -> None:
        # filled, since memory that was never written to is not yet taken
        self._rows: npt.NDArray[Any] = np.full((_KEPT, columns), -1, dtype=dtype)
        self._count = 0

    def append(self, *row: float) -> None:
        self._rows[self._count % _KEPT] = row
        self._count += 1

    def newest(self, most: int | None = None) -> npt.NDArray[Any]:
        """Return a copy of the rows that are kept, or of the last `most` of them, oldest first."""
        kept = min(self._count, _KEPT, self._count if most is None else most)
        return self._rows[np.arange(self._count - kept, self._count) % _KEPT]


class Tally:
    """Counters of one run: samples, holes, windows, latencies."""

    def __init__(self) -> None:
        self.samples = 0
        self.lost = 0
        self.windows = 0
        self.valid = 0
        self.skipped = 0
        self.first_index: int | None = None
        self.end = 0
        self._gaps = _Newest(2, np.int64)
        self._latencies_ms = _Newest(1, np.float32)

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """First index and size of each hole, oldest first."""
        return [(first, count) for first, count in self._gaps.newest().tolist()]

    def take(self, first_index: int, count: int) -> None:
        """Count a chunk and the hole before it."""
        if self.first_index is None:
            self.first_index = self.end = first_index
        if first_index > self.end:
            self._gaps.append(self.end, first_index - self.end)
            self.lost += first_index - self.end
        self.samples += count
        self.end = first_index + count

    def count(self, estimate: Estimate) -> None:
        """Count an estimate; latency is told of those that carry a number."""
        self.windows += 1
        self.valid += estimate.valid
        if estimate.valid:
            self._latencies_ms.append(estimate.latency_ms)

    def latency_ms(self, newest: int | None = None) -> tuple[float, float] | None:
        """Return p50 and p99 of all latencies, or of the newest ones; None before the first."""
        values = self._latencies_ms.newest(newest).astype(np.float64)
        if not values.size:
            return None
        p50, p99 = np.percentile(values, [50, 99])
        return float(p50), float(p99)

    def summary(self) -> dict[str, Any]:
        """Return the object of the last JSON line."""
        latency = self.latency_ms()
        p50, p99 = (None, None) if latency is None else (round(latency[0], 3), round(latency[1], 3))
        return {
            "summary": {
                "samples": self.samples,
                "lost": self.lost,
                "gaps": [list(gap) for gap in self.gaps],
                "windows": self.windows,
                "valid": self.valid,
                "skipped": self.skipped,
                "latency_ms": {"p50": p50, "p99": p99},
            }
        }
