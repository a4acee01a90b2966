"""From a clock or a packet counter to the absolute index of every row, the whole recording in view."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError

USUAL_RATES = (100, 125, 128, 160, 200, 220, 250, 256, 300, 500, 512, 1000, 1024, 2000, 2048)
_SNAP = 0.005
_BLOCK = 1500
_AROUND_S = 1.0
# clocks that are corrected on the fly step back a little; more than this is another recording's time
_BACK_S = 0.025
_LOWEST_HZ, _HIGHEST_HZ = 32.0, 30_000.0
# what a file may declare
_SLOWEST_HZ, _FASTEST_HZ = 1.0, 100_000.0
_EPOCH_MS = 1e11
_LONGEST_HOLE_S = 3600.0
_LONG_HOLE = 250  # samples

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Timing(NamedTuple):
    """Where the rows of a recording lie in time.

    Attributes
    ----------
    sfreq : float
        Rate, Hz.
    rows : numpy.ndarray, shape (rows,), int64
        Absolute index of each row: one more than the row before, or further where samples were lost.
    notes : tuple of str
        One sentence on each thing found on the way.
    """

    sfreq: float
    rows: Ints
    notes: tuple[str, ...]


def check_rate(sfreq: float) -> None:
    """Refuse a rate that no EEG has.

    Raises
    ------
    InputFileError
        Below 1 Hz, above 100 kHz, or no number.
    """
    if not _SLOWEST_HZ <= sfreq <= _FASTEST_HZ:
        raise InputFileError(
            f"a rate of {sfreq:g} Hz, which is no rate of an EEG; export the file again with its rate"
        )


def snap_rate(rate: float) -> float:
    """Return the usual rate within 0.5 % of `rate`, else `rate` itself."""
    nearest = min(USUAL_RATES, key=lambda usual: abs(usual / rate - 1))
    return float(nearest) if abs(nearest / rate - 1) <= _SNAP else rate


def seconds_per_unit(stamps: Floats) -> float:
    """Return what one step of the stamps is in seconds: 1, 1e-3, 1e-6 or 1e-9, whichever makes EEG of them.

    Raises
    ------
    InputFileError
        The stamps stand still, or no unit gives a rate between 32 and 30,000 Hz.
    """
    if stamps.size < 2:
        raise InputFileError(f"only {stamps.size} samples of EEG; record a few seconds or more")
    interval = _row_interval(stamps)
    if interval <= 0:
        raise InputFileError(
            "the time column stands still or runs backwards "
            f"({_seconds(stamps[0])} to {_seconds(stamps[-1])}); check which column holds the time"
        )
    # 5 rows a second in seconds would be 5000 Hz in ms: that is believed only of milliseconds since 1970
    highest_ms = _LOWEST_HZ * 1000 if stamps[0] > _EPOCH_MS else 1100.0
    for unit, highest in ((1.0, _LOWEST_HZ * 1000), (1e-3, highest_ms), (1e-6, 5000.0), (1e-9, 5000.0)):
        if _LOWEST_HZ <= 1 / (interval * unit) < highest:
            return unit
    raise InputFileError(
        f"the time column advances by {interval:.6g} a row, which is no rate of an EEG in s, ms, µs or ns; "
        "check which column holds the time"
    )


def index_from_stamps(stamps: Floats, declared_hz: float | None = None) -> Timing:
    """Place the rows by their time stamps alone.

    The rate is fitted between the holes and snapped to a usual one. A hole is a step of more than 1.5 samples
    that no later row takes back: a late burst is no hole. Rows with the stamp of the row before stay samples.

    Parameters
    ----------
    stamps : numpy.ndarray, shape (rows,)
        Seconds.
    declared_hz : float, optional
        Rate that the file declares; kept when the stamps agree within 2 %.

    Raises
    ------
    InputFileError
        Stamps that are missing, stand still, go back by more than 25 ms, or give no possible rate.
    """
    _check_stamps(stamps)
    if declared_hz:
        check_rate(declared_hz)
    interval = _row_interval(stamps)
    if interval <= 0:
        raise InputFileError(
            f"most of the {stamps.size} time stamps repeat the one before; check which column holds the time"
        )
    rate = declared_hz if declared_hz else 1.0 / interval
    index = np.arange(stamps.size, dtype=np.int64)
    for _ in range(4):
        if not _SLOWEST_HZ <= rate <= _FASTEST_HZ:
            break
        index = _index_at(stamps, rate)
        fitted = _fit_rate(index, stamps)
        if abs(fitted / rate - 1) < 1e-4:
            break
        rate = fitted
    notes: list[str] = []
    if not _LOWEST_HZ <= rate <= _HIGHEST_HZ:
        raise InputFileError(
            f"the time stamps give {rate:.3g} Hz, which is no rate of an EEG "
            f"({_LOWEST_HZ:g} to {_HIGHEST_HZ:g} Hz); give a recording of EEG with time stamps in seconds"
        )
    if declared_hz and abs(rate / declared_hz - 1) <= 0.02:
        sfreq = declared_hz
    else:
        sfreq = snap_rate(rate)
        if declared_hz:
            notes.append(
                f"declared {declared_hz:g} Hz, but the time stamps run at {sfreq:.2f} Hz, which is used"
            )
    back = int((np.diff(stamps) < 0).sum())
    if back:
        notes.append(
            f"{back} time stamps lie a little before the one of the row before; rows kept in file order"
        )
    return Timing(sfreq, index, tuple(notes))


def index_from_counter(
    counter: Floats, stamps: Floats | None = None, sfreq: float | None = None
) -> tuple[Ints, int] | None:
    """Place the rows by a wrapping packet counter, whole turns of it settled by the stamps.

    Parameters
    ----------
    counter : numpy.ndarray, shape (rows,)
        "Sample Index" or COUNTER.
    stamps : numpy.ndarray, shape (rows,), optional
        Seconds; without them a loss of whole turns stays unseen.
    sfreq : float, optional
        Rate, Hz, needed with `stamps`.

    Returns
    -------
    tuple of (numpy.ndarray, int) or None
        Absolute index of each row and the counter's modulus in samples (0 when it never wrapped);
        None when the column is no counter of samples.
    """
    if counter.size < 3 or not np.isfinite(counter).all():
        return None
    steps = np.diff(counter).astype(np.int64)
    up = steps[steps > 0]
    if up.size < 0.5 * steps.size:
        return None
    unit = int(np.bincount(np.minimum(up, 1000)).argmax())
    wraps = unit - steps[steps < 0]
    modulus = int(np.median(wraps)) if wraps.size else 0
    if modulus and (modulus % unit or modulus < 8 * unit):
        return None
    ahead = steps % modulus if modulus else steps
    if (ahead % unit).any():
        return None
    advance = ahead // unit
    turn = modulus // unit
    if turn and stamps is not None and sfreq:
        advance = advance + turn * _whole_turns(stamps, advance, sfreq, turn)
    # a packet that repeats the number before it is kept as a row, like a repeated time stamp
    advance = np.maximum(advance, 1)
    return np.concatenate([[0], np.cumsum(advance)]).astype(np.int64), turn


def count_repeats(values: npt.NDArray[np.float64]) -> int:
    """Return how many rows of (rows, columns) repeat the row before in every column."""
    return int((values[1:] == values[:-1]).all(axis=1).sum())


def describe_holes(index: Ints, sfreq: float) -> str | None:
    """Return one sentence on the samples that an index says are lost, None when none is."""
    lost = np.diff(index) - 1
    rows = np.flatnonzero(lost)
    if not rows.size:
        return None
    total = int(lost.sum())
    first = f"after row {rows[0]}" + (f" and {rows.size - 1} more" if rows.size > 1 else "")
    return f"{total} samples lost ({1000 * total / sfreq:.0f} ms), {first}"


def _check_stamps(stamps: Floats) -> None:
    if not np.isfinite(stamps).all():
        row = int(np.flatnonzero(~np.isfinite(stamps))[0])
        raise InputFileError(f"the time stamp of data row {row} is missing; fill it in, or take the row out")
    with np.errstate(over="ignore"):  # a step beyond all numbers is refused below
        steps = np.diff(stamps)
    if steps.size == 0 or stamps[-1] <= stamps[0]:
        raise InputFileError(
            f"the time stamps do not advance ({_seconds(stamps[0])} to {_seconds(stamps[-1])} "
            f"over {stamps.size} rows); check which column holds the time"
        )
    worst = int(steps.argmin())
    if steps[worst] < -_BACK_S:
        raise InputFileError(
            f"time goes back from {_seconds(stamps[worst])} to {_seconds(stamps[worst + 1])} "
            f"at data row {worst + 1}; split the file there, or sort it by time"
        )
    longest = float(steps.max())
    if longest > _LONGEST_HOLE_S:
        row = int(steps.argmax())
        raise InputFileError(
            f"time jumps by {longest:.6g} s at data row {row + 1}, more than an hour; split the file there"
        )


def _seconds(stamp: float) -> str:
    return f"{stamp:.6f}" if abs(stamp) < 1e12 else f"{stamp:.6g}"


def _is_smooth(steps: Floats, interval: float) -> bool:
    """Tell stamps made sample by sample from stamps that come in bursts."""
    spread = float(np.quantile(steps, 0.9) - np.quantile(steps, 0.05))
    return spread < interval and float((steps <= 0).mean()) < 0.01


def _row_interval(stamps: Floats) -> float:
    """Return the usual time a row takes, so that neither rounding nor holes count."""
    with np.errstate(over="ignore"):
        steps = np.diff(stamps)
    middle = float(np.median(steps))
    if middle > 0 and _is_smooth(steps, middle):
        return float(steps[steps < 1.5 * middle].mean())
    k = max(min(_BLOCK, stamps.size // 4), 1)
    return float(np.median(stamps[k:] - stamps[:-k]) / k)


def _fit_rate(index: Ints, stamps: Floats) -> float:
    """Return the rate between the long holes, whose size in samples is itself counted by a rate."""
    long = np.flatnonzero(np.diff(index) > _LONG_HOLE) + 1
    above = below = 0.0
    for x, y in zip(np.split(index, long), np.split(stamps, long), strict=True):
        x = x - x.mean()
        above += float(x @ (y - y.mean()))
        below += float(x @ x)
    return below / above if above > 0 else np.inf


def _index_at(stamps: Floats, rate: float) -> Ints:
    """Return the absolute index of each row if the rate is `rate`."""
    steps = np.diff(stamps)
    smooth = _is_smooth(steps, 1.0 / rate)
    late = (stamps - stamps[0]) * rate - np.arange(stamps.size)
    around = max(round(_AROUND_S * rate), 8)
    lost = np.zeros(steps.size, dtype=np.int64)
    candidates = _candidates(steps * rate, late, around)
    # the largest step first: beside a hole, the lateness of a burst would take some of its samples
    for row in candidates[np.argsort(-steps[candidates], kind="stable")]:
        if not smooth and stamps.size - row < around // 2:
            continue  # too near the end to see whether it comes back
        shift, noise = _shift(late, lost, int(row), around)
        # smooth stamps say the size to the sample; bursts only by how far the later rows moved
        count = round(float(steps[row]) * rate) - 1 if smooth else round(shift)
        if shift > (0.5 * count if smooth else max(1.0, 1.5 * noise)):
            lost[row] = max(count, 0)
    return np.concatenate([[0], np.cumsum(lost + 1)]).astype(np.int64)


def _candidates(steps: Floats, late: Floats, around: int) -> Ints:
    """Return rows followed by a step of more than 1.5 samples that no later row takes back."""
    from scipy.ndimage import minimum_filter1d

    half = around // 2
    size = 2 * half + 1
    backward = minimum_filter1d(late, size, origin=half, mode="nearest")
    forward = minimum_filter1d(late, size, origin=-half, mode="nearest")
    return np.flatnonzero((steps > 1.5) & (forward[1:] - backward[:-1] > 0.5))


def _shift(late: Floats, lost: Ints, row: int, around: int) -> tuple[float, float]:
    """Return by how many samples the rows after `row` are later than those before, and the noise of that."""
    first = max(0, row + 1 - around)
    stop = row + 1 + around
    level = late[first:stop]
    level = level - np.concatenate([[0], np.cumsum(lost[first : first + level.size - 1])])
    before, after = level[: row + 1 - first], level[row + 1 - first :]
    # stamps are late, never early: the early edge of each side is the true time
    edge = float(np.quantile(before, 0.1))
    return float(np.quantile(after, 0.1)) - edge, float(np.quantile(before, 0.5)) - edge


def _whole_turns(stamps: Floats, advance: Ints, sfreq: float, turn: int) -> Ints:
    """Return how many whole turns of the counter each row's step hides, from the time that passed."""
    turns = np.zeros(advance.size, dtype=np.int64)
    late = (stamps - stamps[0]) * sfreq - np.concatenate([[0], np.cumsum(advance)])
    around = max(round(_AROUND_S * sfreq), 8)
    for row in np.flatnonzero(np.diff(late) > turn / 2):
        shift, _ = _shift(late, turns * turn, int(row), around)
        turns[row] = max(round(shift / turn), 0)
    return turns
