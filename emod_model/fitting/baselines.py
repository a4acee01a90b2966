"""What the windows of a store are told relative to: their wearer's baseline, one for each trial."""

import copy
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from emod_model.centring import Baseline, Centring, Removal
from emod_model.features.spectrum import spectra
from emod_model.fitting.stores import Rows, StoreLike

REST_S = 60.0
"""Beginning of EEGMAT's rest that is a person's baseline, s: rest is a class of its own there."""
_AT_ONCE = 64
_MOST_KEPT = 1024


def rests(store: StoreLike) -> npt.NDArray[np.bool_]:
    """Tell which windows are the rest that causal centring takes off and that is then not learnt from."""
    if store.corpus != "eegmat":
        return store.baseline
    first = (store.start_s + store.spec.window_s <= REST_S) & (store.label == "rest")
    both: npt.NDArray[np.bool_] = store.baseline | first
    return both


class Baselines:
    """The baseline of each trial of a store, through one cap.

    Causal, session by session and trial by trial: the rests that have been by then; where a session has none,
    the trials before, and for its first trial that trial itself. Transductive: all windows of the session.

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
        self._cap = np.arange(len(store.channels)) if cap is None else np.array(sorted(cap))
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

    def removal(self, row: int, channels: Sequence[int]) -> Removal | None:
        """Return what takes its baseline off a window's `channels`; None where one was never seen before."""
        key = (int(self.of[row]), *channels)
        if key not in self._removals:
            baseline = self._kept[key[0]]
            at = list(channels)
            if not (baseline.seconds[np.ix_(at, at)] > 0).all():
                return None
            if len(self._removals) >= _MOST_KEPT:
                self._removals.clear()
            self._removals[key] = baseline.removal(self._centring, at)
        return self._removals[key]

    def removals(self, rows: Rows, channels: Rows) -> Removal:
        """Return what takes their baselines off windows of known electrodes (windows, channels)."""
        found = [self.removal(row, at) for row, at in zip(rows.tolist(), channels.tolist(), strict=True)]
        known = [one for one in found if one is not None]
        assert len(known) == len(found)
        return Removal(*(torch.stack(part) for part in zip(*known, strict=True)))

    def known(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Tell which windows have a baseline for all their good electrodes."""
        good = self._store.good[rows].astype(np.float32)
        there = np.ones(len(rows), np.bool_)
        for at, baseline in enumerate(self._kept):
            here = self.of[rows] == at
            unmet = (baseline.seconds <= 0).astype(np.float32)
            there[here] = ((good[here] @ unmet) * good[here]).sum(1) == 0
        return there

    def _causal(self, trials: list[Rows]) -> None:
        rested = any(self._resting[rows].any() for rows in trials)
        running = Baseline(len(self._store.channels))
        for at, rows in enumerate(trials):
            rest = rows[self._resting[rows]] if rested else rows
            if rested or not running.seconds.any():
                running = self._taken(running, rest)
            self._keep(running, rows)
            if not rested and at:
                running = self._taken(running, rest)

    def _keep(self, baseline: Baseline, rows: Rows) -> None:
        if self._last is not baseline:
            self._last = baseline
            kept = copy.copy(baseline)
            # one a trial where nobody rests: half the memory, or none where it is not asked for
            shared = self._centring.place == "cross-power"
            kept.coherence = baseline.coherence.astype(np.float32) if shared else baseline.coherence[:0]
            self._kept.append(kept)
        self.of[rows] = len(self._kept) - 1

    def _taken(self, baseline: Baseline, rows: Rows) -> Baseline:
        """Return a baseline with these windows taken in."""
        if not len(rows):
            return baseline
        result, store = copy.deepcopy(baseline), self._store
        step_s = min(store.spec.window_s, store.hop_s)
        worn = np.isin(np.arange(len(store.channels)), self._cap)
        patterns, of = np.unique(store.good[rows] & worn, axis=0, return_inverse=True)
        for at, pattern in enumerate(patterns):
            good = np.flatnonzero(pattern)
            alike = rows[of.reshape(-1) == at] if len(good) else rows[:0]
            for first in range(0, len(alike), _AT_ONCE):
                eeg = np.asarray(store.windows[alike[first : first + _AT_ONCE]])[:, good]
                eeg = eeg - eeg.mean(1, keepdims=True)
                parts = spectra(torch.from_numpy(eeg), store.spec.sfreq, self._tokens)
                result.take(parts, good.tolist(), step_s)
        return result


def _sessions(store: StoreLike) -> list[list[Rows]]:
    """Return the windows of each trial of each session, in the order of the store."""
    sessions: dict[tuple[str, str], dict[str, list[int]]] = {}
    names = zip(store.subject.tolist(), store.session.tolist(), store.trial.tolist(), strict=True)
    for row, (subject, session, trial) in enumerate(names):
        sessions.setdefault((subject, session), {}).setdefault(trial, []).append(row)
    return [[np.array(rows) for rows in trials.values()] for trials in sessions.values()]
