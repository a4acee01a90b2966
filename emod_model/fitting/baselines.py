"""What the windows of a store are told relative to: their wearer's baseline, one for each trial."""

import copy
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emod_model.centring import MOST_SHARED, REST_S, Baseline, Centring, Removal
from emod_model.errors import UsageError
from emod_model.features.spectrum import spectra
from emod_model.fitting.stores import FEWEST_CHANNELS, Rows, StoreLike

_AT_ONCE = 64
_MOST_KEPT = 2**25
"""Numbers in the removals that are kept to be used again: 128 MB."""


def rests(store: StoreLike) -> npt.NDArray[np.bool_]:
    """Tell which windows are the rest that causal centring takes off and that is then not learnt from."""
    if store.corpus != "eegmat":
        return store.baseline
    # rest is a class of its own there
    # also the one that reaches beyond the minute: what is judged shares no sample with the baseline
    both: npt.NDArray[np.bool_] = store.baseline | ((store.start_s < REST_S) & (store.label == "rest"))
    return both


class Baselines:
    """What the windows of a store are told relative to, through one cap.

    Causal, session by session and trial by trial in the order of the store: the rests that have been by then;
    before the first rest, and where a session has none, the trials before, and within its first trial the
    windows before. Transductive: all windows of the session. A window whose electrodes were never seen
    together by then is its own baseline for once, as live.

    Parameters
    ----------
    store : StoreLike
        Its windows that make a baseline are read.
    kind : {"causal", "transductive"}
        Which ones those are.
    centring : Centring
        How the baseline is taken off.
    tokens_per_s : float
        Of the model.
    cap : sequence of int, optional
        Electrodes that are worn, by their place in the store, referenced to their own mean; all by default.

    Attributes
    ----------
    of : numpy.ndarray of int, shape (windows,)
        Which baseline each window has.

    Raises
    ------
    UsageError
        A window that makes a baseline holds NaN or infinity.
    """

    def __init__(
        self,
        store: StoreLike,
        kind: Literal["causal", "transductive"],
        centring: Centring,
        tokens_per_s: float,
        cap: Sequence[int] | None = None,
    ) -> None:
        self._store, self._centring = store, centring
        self._tokens = round(store.spec.window_s * tokens_per_s)
        worn = range(len(store.channels)) if cap is None else cap
        self._worn = np.isin(np.arange(len(store.channels)), list(worn))
        self._fewest = min(FEWEST_CHANNELS, len(worn))
        # of more electrodes what they share is never asked for; a bad one may make them few enough
        least = int((store.good & self._worn).sum(1).min())
        self._shared = centring.place == "cross-power" and least <= MOST_SHARED
        self._resting = rests(store)
        self._kept: list[Baseline] = []
        self._last: Baseline | None = None
        self._removals: dict[tuple[int, ...], Removal] = {}
        self.of = np.zeros(len(store.subject), np.intp)
        for session in _sessions(store):
            if kind == "causal":
                self._causal(session)
            else:
                whole = np.concatenate(session)
                self._keep(self._taken(Baseline(len(store.channels)), whole), whole)

    def removal(self, row: int, channels: Sequence[int]) -> Removal:
        """Return what takes its baseline off a window's `channels`, which are good and worn."""
        key = (int(self.of[row]), *channels)
        if key in self._removals:
            return self._removals[key]
        baseline, at = self._kept[key[0]], list(channels)
        if not baseline.covers(at):
            own = baseline.with_own(self._parts(np.array([row]), at)[0], at, self._store.spec.window_s)
            return own.removal(self._centring, at)
        made = baseline.removal(self._centring, at)
        if (len(self._removals) + 1) * made.maps.numel() > _MOST_KEPT:
            self._removals.clear()
        self._removals[key] = made
        return made

    def removals(self, rows: Rows, channels: Sequence[int]) -> Removal:
        """Return what takes their baselines off windows of the same electrodes."""
        found = [self.removal(row, channels) for row in rows.tolist()]
        return Removal(*(torch.stack(part) for part in zip(*found, strict=True)))

    def _causal(self, trials: list[Rows]) -> None:
        rested, passed = Baseline(len(self._store.channels)), Baseline(len(self._store.channels))
        for at, rows in enumerate(trials):
            rested = self._taken(rested, rows[self._resting[rows]])
            if rested.seconds.any():
                self._keep(rested, rows)
            elif at:
                self._keep(passed, rows)
                passed = self._taken(passed, rows)
            else:
                for row in rows:
                    self._keep(passed, np.array([row]))
                    passed = self._taken(passed, np.array([row]))

    def _keep(self, baseline: Baseline, rows: Rows) -> None:
        if self._last is not baseline:
            self._last = baseline
            kept = copy.copy(baseline)
            # one a trial where nobody rests: half the memory, or none
            kept.coherence = baseline.coherence.astype(np.float32) if self._shared else baseline.coherence[:0]
            self._kept.append(kept)
        self.of[rows] = len(self._kept) - 1

    def _taken(self, baseline: Baseline, rows: Rows) -> Baseline:
        """Return a baseline with these windows taken in."""
        if not len(rows):
            return baseline
        result, store = copy.deepcopy(baseline), self._store
        step_s = min(store.spec.window_s, store.hop_s)
        patterns, of = np.unique(store.good[rows] & self._worn, axis=0, return_inverse=True)
        for at, pattern in enumerate(patterns):
            good = np.flatnonzero(pattern).tolist()
            # too few are nothing once their mean is taken off; live such windows are invalid
            alike = rows[of.reshape(-1) == at] if len(good) >= self._fewest else rows[:0]
            for first in range(0, len(alike), _AT_ONCE):
                result.take(self._parts(alike[first : first + _AT_ONCE], good), good, step_s)
        return result

    def _parts(self, rows: Rows, channels: list[int]) -> Tensor:
        store = self._store
        eeg = np.asarray(store.windows[rows])[:, channels]
        if not np.isfinite(eeg).all():
            raise UsageError(f"windows of {store.corpus} hold what is no number; prepare it anew")
        eeg = eeg - eeg.mean(1, keepdims=True)
        return spectra(torch.from_numpy(eeg), store.spec.sfreq, self._tokens)


def _sessions(store: StoreLike) -> list[list[Rows]]:
    """Return the windows of each trial of each session, in the order of the store."""
    sessions: dict[tuple[str, str], dict[str, list[int]]] = {}
    names = zip(store.subject.tolist(), store.session.tolist(), store.trial.tolist(), strict=True)
    for row, (subject, session, trial) in enumerate(names):
        sessions.setdefault((subject, session), {}).setdefault(trial, []).append(row)
    return [[np.array(rows) for rows in trials.values()] for trials in sessions.values()]
