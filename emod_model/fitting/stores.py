"""What training asks of a store of windows."""

import hashlib
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emod_model.signal.spec import SignalSpec

Rows = npt.NDArray[np.int64]
FEWEST_CHANNELS = 3
"""Good electrodes below which a window is not read, or all where there are fewer."""


class StoreLike(Protocol):
    """What is asked of a store: see `emod_model.store.Store`."""

    @property
    def corpus(self) -> str:
        """Name of the corpus."""

    @property
    def spec(self) -> SignalSpec:
        """How the windows were conditioned."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Electrodes, one a row of a window."""

    @property
    def windows(self) -> npt.NDArray[np.float32]:
        """Microvolts (windows, channels, samples)."""

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """Which rows hold a signal (windows, channels)."""

    @property
    def hop_s(self) -> float:
        """Time between windows, s."""

    @property
    def subject(self) -> npt.NDArray[np.str_]:
        """Whose each window is."""

    @property
    def session(self) -> npt.NDArray[np.str_]:
        """Session of each window, within its person."""

    @property
    def trial(self) -> npt.NDArray[np.str_]:
        """Trial of each window, within its session."""

    @property
    def start_s(self) -> npt.NDArray[np.float64]:
        """Where each window begins in its recording, s."""

    @property
    def label(self) -> npt.NDArray[np.str_]:
        """Class of each window, "" where there is none."""

    @property
    def valence(self) -> npt.NDArray[np.float64]:
        """[-1, 1], NaN where there is none."""

    @property
    def arousal(self) -> npt.NDArray[np.float64]:
        """[-1, 1], NaN where there is none."""

    @property
    def baseline(self) -> npt.NDArray[np.bool_]:
        """Windows of rest."""


def fingerprint(store: StoreLike) -> str:
    """Return what tells stores apart: corpus, electrodes, and whose windows they are with which labels."""
    told = hashlib.sha256(repr((store.corpus, store.channels, store.spec.model_dump())).encode())
    for column in (store.subject, store.session, store.trial, store.label):
        told.update("\0".join(column.tolist()).encode())
    for numbers in (store.valence, store.arousal, store.start_s):
        told.update(np.ascontiguousarray(numbers, np.float64).tobytes())
    return f"{store.corpus}, {len(store.subject)} windows, {told.hexdigest()[:12]}"
