"""Windows of real people at rest and in mental arithmetic, and of simulated ones, with their rest taken off.

EEGMAT: Zyma et al. 2019, "Electroencephalograms during mental arithmetic task performance", PhysioNet
eegmat 1.0.0, Open Data Commons Attribution 1.0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emod_model.centring import REST_S, Baseline, Centring, Kind, Removal, whitened
from emod_model.corpora.eegmat import EEGMAT, ELECTRODES
from emod_model.features.spectrum import log_of, spectra
from emod_model.montage import CYTON, spatial_weights
from emod_model.signal.conditioner import Conditioner
from emod_model.signal.spec import SignalSpec
from emod_model.simulate import SimulatedPerson
from emod_model.training.sessions import Experience, Plan

Array = npt.NDArray[np.float64]

JUDGED_S = 5.0
"""Windows that are judged, s, as published; the model's own shorter ones within each are averaged."""
STEP_S = 1.0
JUDGED_CAPS: dict[str, tuple[str, ...]] = {
    "19": ELECTRODES,
    "Cyton, 8": CYTON,
    "Muse-like, 4": ("P7", "F7", "F8", "P8"),
}
"""Caps that are judged; the last are as near as EEGMAT's electrodes come to a Muse."""
_RANDOM_CAPS = (5, 6, 8, 10, 12, 14)
_BASELINE_STEP_S = 1.5
_SIMULATED = 6_000_000
_SFREQ = 125.0


@dataclass(frozen=True, eq=False)
class Stretch:
    """One conditioned recording.

    Attributes
    ----------
    eeg : torch.Tensor, shape (19, samples)
        Microvolts at the model's rate, as recorded, not re-referenced.
    target : numpy.ndarray, shape (seconds,)
        What it stands for, one value for each second: 1 arithmetic, 0 rest; or a simulated valence.
    first_s : float
        Where what is scored begins, s.
    """

    eeg: Tensor
    target: Array
    first_s: float


@dataclass(frozen=True, eq=False)
class Person:
    """One person's recordings, rest first."""

    name: str
    stretches: tuple[Stretch, ...]


def real_people(raw: Path, spec: SignalSpec, done: Callable[[], None] = lambda: None) -> list[Person]:
    """Read and condition everyone of EEGMAT's folder, in the order of their names."""
    corpus = EEGMAT(raw)
    people = []
    for subject in corpus.subjects():
        stretches = []
        for busy, (_, eeg, sfreq) in enumerate(corpus.published(subject)):
            conditioned = _conditioned(eeg[: len(ELECTRODES)], sfreq, spec)
            seconds = int(conditioned.shape[1] / spec.sfreq)
            first = 0.0 if busy else REST_S
            stretches.append(Stretch(conditioned, np.full(seconds, float(busy)), first))
        people.append(Person(subject, tuple(stretches)))
        done()
    return people


def simulated_people(
    first: int, n: int, spec: SignalSpec, done: Callable[[], None] = lambda: None
) -> list[Person]:
    """Simulate people at rest and in nine short trials all over the plane; their valence is the target."""
    plan = Plan(trials=9, rest_s=REST_S, trial_s=9.0, pause_s=2.0, ramp_s=2.0)
    people = []
    for number in range(first, first + n):
        rng = np.random.default_rng((number, 9))
        ninths = rng.permutation([(v, a) for v in (-2, 0, 2) for a in (-2, 0, 2)])
        points = (ninths + rng.uniform(-1, 1, (9, 2))) / 3
        person = SimulatedPerson(_SIMULATED + number, ELECTRODES, _SFREQ, Experience(plan, points))
        eeg = _conditioned(person.generate(round(plan.seconds * _SFREQ)), _SFREQ, spec)
        valence = person.affect((np.arange(int(plan.seconds)) + 0.5) * _SFREQ)[:, 0]
        people.append(Person(f"simulated {number}", (Stretch(eeg, valence, REST_S),)))
        done()
    return people


def _conditioned(eeg: npt.NDArray[np.floating], sfreq: float, spec: SignalSpec) -> Tensor:
    conditioned = Conditioner(spec, sfreq, len(eeg)).process(eeg)
    return torch.from_numpy(conditioned.astype(np.float32))


def training_caps() -> list[tuple[str, ...]]:
    """Return the caps that training windows are seen through: those that are judged, and random ones."""
    rng = np.random.default_rng(5)
    rows = [sorted(rng.permutation(len(ELECTRODES))[:n].tolist()) for n in _RANDOM_CAPS]
    return [*JUDGED_CAPS.values(), *(tuple(ELECTRODES[row] for row in some) for some in rows)]


@dataclass(frozen=True, eq=False)
class Seen:
    """Scored windows of many people through one cap, each person's baseline taken off.

    Attributes
    ----------
    spectral : torch.Tensor, shape (windows, channels, tokens, 45), float16
    spatial : torch.Tensor, shape (channels, 72)
    who : numpy.ndarray of int, shape (windows,)
        Person, by place in the list.
    target : numpy.ndarray, shape (windows,)
        Mean over the window.
    judged : numpy.ndarray of int, shape (windows,)
        Window of 5 s that each lies in, numbered over everyone.
    """

    spectral: Tensor
    spatial: Tensor
    who: npt.NDArray[np.intp]
    target: Array
    judged: npt.NDArray[np.intp]


def see(
    people: Sequence[Person], cap: Sequence[str], kind: Kind, centring: Centring, spec: SignalSpec
) -> Seen:
    """Look at everyone through one cap, average-referenced over it."""
    rows = [ELECTRODES.index(name) for name in cap]
    spectral, who, target, judged = [], [], [], []
    n_judged = 0
    whole, n = round(JUDGED_S * spec.sfreq), spec.window_samples
    for number, person in enumerate(people):
        removal = removal_of(person, rows, kind, centring, spec)
        for stretch in person.stretches:
            scored = stretch.eeg[rows, round(stretch.first_s * spec.sfreq) :]
            windows = scored.unfold(1, whole, whole).unfold(2, n, round(STEP_S * spec.sfreq))
            count, within = windows.shape[1:3]
            eeg = windows.permute(1, 2, 0, 3).reshape(count * within, len(rows), n)
            parts = spectra(eeg - eeg.mean(1, keepdim=True), spec.sfreq, spec.window_tokens)
            spectral.append(log_of(parts if removal is None else whitened(parts, removal.maps)).half())
            start = stretch.first_s + np.add.outer(np.arange(count) * JUDGED_S, np.arange(within) * STEP_S)
            seconds = np.floor(start.ravel()[:, None] + np.arange(round(spec.window_s))).astype(int)
            target.append(stretch.target[np.minimum(seconds, len(stretch.target) - 1)].mean(1))
            who += [number] * (count * within)
            judged.append(n_judged + np.repeat(np.arange(count), within))
            n_judged += count
    spatial = torch.from_numpy(spatial_weights(cap)).float()
    return Seen(torch.cat(spectral), spatial, np.array(who), np.concatenate(target), np.concatenate(judged))


def see_rest(people: Sequence[Person], cap: Sequence[str], spec: SignalSpec) -> Seen:
    """Look at the first minute of everyone's rest through one cap, with nothing taken off."""
    rows = [ELECTRODES.index(name) for name in cap]
    longest = round(REST_S * spec.sfreq)
    spectral = [log_of(_parts(one.stretches[0].eeg[rows, :longest], spec)).half() for one in people]
    who = np.repeat(np.arange(len(people)), [len(part) for part in spectral])
    spatial = torch.from_numpy(spatial_weights(cap)).float()
    return Seen(torch.cat(spectral), spatial, who, np.zeros(len(who)), np.arange(len(who)))


def removal_of(
    person: Person, rows: Sequence[int], kind: Kind, centring: Centring, spec: SignalSpec
) -> Removal | None:
    """Return what takes a person's baseline off: nothing, the first minute of rest, or everything."""
    if kind == "none":
        return None
    stretches = person.stretches[:1] if kind == "causal" else person.stretches
    longest = round(REST_S * spec.sfreq) if kind == "causal" else None
    parts = [_parts(stretch.eeg[list(rows), :longest], spec) for stretch in stretches]
    seconds = sum(stretch.eeg[:, :longest].shape[1] for stretch in stretches) / spec.sfreq
    return Baseline.of(torch.cat(parts), seconds).removal(centring)


def _parts(eeg: Tensor, spec: SignalSpec) -> Tensor:
    windows = eeg.unfold(1, spec.window_samples, round(_BASELINE_STEP_S * spec.sfreq)).permute(1, 0, 2)
    return spectra(windows - windows.mean(1, keepdim=True), spec.sfreq, spec.window_tokens)
