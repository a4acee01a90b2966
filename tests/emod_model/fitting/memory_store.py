"""A store in memory: what training asks of one, with a signal that tells what it is labelled with."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emod_model.signal.spec import SignalSpec

SPEC = SignalSpec(window_s=1.0)


@dataclass(frozen=True, eq=False)
class MemoryStore:
    """See `emod_model.store.Store`."""

    corpus: str
    channels: tuple[str, ...]
    windows: npt.NDArray[np.float32]
    good: npt.NDArray[np.bool_]
    subject: npt.NDArray[np.str_]
    label: npt.NDArray[np.str_]
    valence: npt.NDArray[np.float64]
    arousal: npt.NDArray[np.float64]
    baseline: npt.NDArray[np.bool_]
    session: npt.NDArray[np.str_]
    trial: npt.NDArray[np.str_]
    start_s: npt.NDArray[np.float64]
    hop_s: float = SPEC.window_s
    spec: SignalSpec = field(default=SPEC)


def store(
    corpus: str,
    channels: tuple[str, ...],
    *,
    people: int = 4,
    each: int = 24,
    seed: int = 0,
    words: tuple[str, ...] = ("sad", "neutral", "happy"),
    places: tuple[tuple[float, float], ...] = ((-0.75, 0.25), (0.0, 0.0), (0.75, 0.5)),
) -> MemoryStore:
    """People whose alpha grows with valence and whose beta grows with arousal; every sixth window is rest.

    Each person has one session of trials of six windows, the last of which is the rest.
    """
    rng = np.random.default_rng(seed)
    n = people * each
    kind = rng.integers(0, len(words), n)
    rest = np.arange(n) % 6 == 5
    point = np.where(rest[:, None], 0.0, np.array(places)[kind])
    t = np.arange(SPEC.window_samples) / SPEC.sfreq
    phase = rng.uniform(0, 2 * np.pi, (2, n, len(channels), 1))
    waves = [np.sin(2 * np.pi * hz * t + p) for hz, p in zip((10, 20), phase, strict=True)]
    size = 8 * np.exp(1.5 * point)
    eeg = size[:, 0, None, None] * waves[0] + size[:, 1, None, None] * waves[1]
    eeg = eeg + 3 * rng.normal(size=eeg.shape)
    good = rng.random((n, len(channels))) > 0.03
    # average reference over the good channels, 0 where one is bad, as a store has it
    mean = (eeg * good[..., None]).sum(1, keepdims=True) / good.sum(1)[:, None, None]
    eeg = np.where(good[..., None], eeg - mean, 0.0)
    return MemoryStore(
        corpus,
        channels,
        eeg.astype(np.float32),
        good,
        np.repeat([f"{k:02}" for k in range(people)], each),
        np.where(rest, "", np.array(words)[kind]),
        np.where(rest, np.nan, point[:, 0]),
        np.where(rest, np.nan, point[:, 1]),
        rest,
        np.full(n, "1"),
        np.array([str(k % each // 6) for k in range(n)]),
        np.arange(n) % each * SPEC.window_s,
    )
