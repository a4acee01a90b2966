"""What a run counts, and the summary line."""

from collections import deque
from itertools import islice
from typing import Any

import numpy as np

from emod_rt.estimate import Estimate

# enough for a day at two windows a second; older ones leave, so that memory stays flat
_KEPT = 200_000


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
        self.gaps: deque[tuple[int, int]] = deque(maxlen=_KEPT)
        self.latencies_ms: deque[float] = deque(maxlen=_KEPT)

    def take(self, first_index: int, count: int) -> None:
        """Count a chunk and the hole before it."""
        if self.first_index is None:
            self.first_index = self.end = first_index
        if first_index > self.end:
            self.gaps.append((self.end, first_index - self.end))
            self.lost += first_index - self.end
        self.samples += count
        self.end = first_index + count

    def count(self, estimate: Estimate) -> None:
        """Count an estimate; latency is told of those that carry a number."""
        self.windows += 1
        self.valid += estimate.valid
        if estimate.valid:
            self.latencies_ms.append(estimate.latency_ms)

    def latency_ms(self, newest: int | None = None) -> tuple[float, float] | None:
        """Return p50 and p99 of all latencies, or of the newest ones; None before the first."""
        values = list(islice(reversed(self.latencies_ms), newest))
        if not values:
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
