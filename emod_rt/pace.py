"""Do a sender's stamps keep step with the time at which they arrive."""

import math
from collections import deque

_MEMORY_S = 5.0
_KNOWN_S = 1.0
_STEADY = (0.8, 1.25)  # stamps per second of the reader; a replay at another speed says nothing of clocks


class Pace:
    """Remembers how far behind their stamps samples arrived in the last seconds.

    A loss takes time: the sample behind it arrives as late after its stamp as any. A sample that arrives
    earlier after its stamp than any before it was stamped by a clock that was set forward.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()  # arrival and newest stamp

    def ahead(self, stamp: float, arrival: float) -> float:
        """Return by how much these stamps are ahead of the quickest delivery so far, s.

        Parameters
        ----------
        stamp, arrival : float
            Newest stamp, s, and when it was read, s; NaN when nobody looked at a clock.

        Returns
        -------
        float
            Minus infinity while the stamps do not run at the reader's pace, or too little is known.
        """
        while self._seen and not self._seen[0][0] >= arrival - _MEMORY_S:
            self._seen.popleft()
        if not self._seen:
            return -math.inf
        (begin, first), (end, last) = self._seen[0], self._seen[-1]
        if not end - begin >= _KNOWN_S or not _STEADY[0] <= (last - first) / (end - begin) <= _STEADY[1]:
            return -math.inf
        return min(came - made for came, made in self._seen) - (arrival - stamp)

    def remember(self, stamp: float, arrival: float) -> None:
        """Take in the newest stamp of what has arrived."""
        if math.isfinite(arrival) and math.isfinite(stamp):
            self._seen.append((arrival, stamp))

    def forget(self) -> None:
        """Begin anew, with another clock."""
        self._seen.clear()
