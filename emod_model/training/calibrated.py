"""What calibration is worth on simulated people that nobody has met: the evidence of docs/results.md."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.calibration.fit import Calibration, calibrate, predict, smooth
from emod_model.calibration.interval import ONE_SD
from emod_model.calibration.reading import Reading
from emod_model.checkpoint import load_checkpoint
from emod_model.metrics import ccc
from emod_model.training.people import SPLITS
from emod_model.training.sessions import Plan, noise_only, sit_through

Array = npt.NDArray[np.float64]

AFTER = (4, 8, 16)
"""Trials after which a person's reading is judged on trials still to come."""
UNSEEN = 8
"""Trials that are kept for judging, after the last that is learnt from."""
PLAN = Plan(trials=AFTER[-1] + UNSEEN)
LEVELS = (ONE_SD, 0.9)
SHUFFLES = 5
"""How often each person's ratings are shuffled, and judged as if they were true."""
METHODS = ("always the mean", "uncalibrated", "rest alone", *(f"after {n} trials" for n in AFTER))


@dataclass(frozen=True, eq=False)
class Person:
    """One simulated person's figures.

    Attributes
    ----------
    estimates : dict of str to numpy.ndarray, shape (8, 2)
        Mean reading of each unseen trial, by method.
    ratings : numpy.ndarray, shape (8, 2)
        Of the same trials.
    by_candidate : dict of int to dict of str to tuple of float
        Held-out RMSE within the first so many trials.
    inside : dict of int to numpy.ndarray, shape (2, 2)
        Share of windows of unseen trials whose rating lies within the interval, level by axis.
    claims : dict of str to tuple of tuple of bool
        "better" for valence, arousal, once or more: with "true" ratings after 8 trials; with "shuffled"
        ratings; with "noise" instead of EEG.
    """

    estimates: dict[str, Array]
    ratings: Array
    by_candidate: dict[int, dict[str, tuple[float, float]]]
    inside: dict[int, Array]
    claims: dict[str, tuple[tuple[bool, bool], ...]]


def judge_person(seed: int, channels: tuple[str, ...], checkpoint: Path, rich: bool) -> Person:
    """Calibrate a simulated person after 4, 8 and 16 trials and judge on eight later ones."""
    import torch

    torch.set_num_threads(1)
    model = load_checkpoint(checkpoint)
    head = model.info.centred
    session = sit_through(seed, channels, model, PLAN)
    unseen = session.trials[AFTER[-1] :]
    ratings = session.ratings[AFTER[-1] :]
    estimates = {"uncalibrated": _means(unseen, lambda trial: trial.mean)}
    by_candidate, inside = {}, {}
    claims: dict[str, tuple[tuple[bool, bool], ...]] = {}
    for n in AFTER:
        # the verdict is asked for where a usual session ends; choosing needs no shuffling
        result = calibrate(session.first(n), head, draws=99 if n == 8 else 0, rich=rich)
        read = partial(_read, result)
        estimates[f"after {n} trials"] = _means(unseen, read)
        by_candidate[n] = result.judged.rmse
        inside[n] = _inside(result, unseen, ratings)
        if n == 8:
            estimates["rest alone"] = _means(unseen, partial(_rest, result))
            estimates["always the mean"] = np.broadcast_to(session.ratings[:8].mean(0), ratings.shape)
            claims["true"] = (_claims(result),)
    rng = np.random.default_rng((seed, 13))
    eight = session.first(8)
    shuffled = [replace(eight, ratings=rng.permutation(eight.ratings)) for _ in range(SHUFFLES)]
    claims["shuffled"] = tuple(_claims(calibrate(each, head, rich=rich)) for each in shuffled)
    nobody = noise_only(seed, channels, model, replace(PLAN, trials=8))
    claims["noise"] = (_claims(calibrate(nobody, head, rich=rich)),)
    return Person(estimates, ratings, by_candidate, inside, claims)


def judge_people(
    n: int,
    channels: Sequence[str],
    checkpoint: Path,
    *,
    rich: bool = True,
    workers: int = 1,
    done: Callable[[], None] = lambda: None,
) -> list[Person]:
    """Judge the first `n` people of the split "calibration", in processes."""
    one = partial(judge_person, channels=tuple(channels), checkpoint=checkpoint, rich=rich)
    people = []
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for person in pool.map(one, range(SPLITS["calibration"], SPLITS["calibration"] + n)):
            people.append(person)
            done()
    return people


def table(people: Sequence[Person]) -> str:
    """Return the figures as Markdown."""
    return "\n\n".join([_methods(people), _candidates(people), _intervals(people), _said(people)])


def _methods(people: Sequence[Person]) -> str:
    lines = _head("method", ["axis", "RMSE", "CCC over trials", "better than the mean in"])
    ratings = np.concatenate([person.ratings for person in people])
    for axis, name in enumerate(("valence", "arousal")):
        mean = _errors(people, METHODS[0], axis)
        for method in METHODS:
            said = np.concatenate([person.estimates[method] for person in people])
            error = _errors(people, method, axis)
            wins = f"{int((error < mean).sum())} of {len(people)}" if method != METHODS[0] else ""
            agreement = ccc(said[:, axis], ratings[:, axis])
            lines.append(f"| {method} | {name} | {np.sqrt(error.mean()):.3f} | {agreement:.3f} | {wins} |")
    return "\n".join(lines)


def _candidates(people: Sequence[Person]) -> str:
    lines = _head("candidate", [f"held out within the first {n}: V, A" for n in AFTER])
    for candidate in people[0].by_candidate[AFTER[0]]:
        cells = []
        for n in AFTER:
            square = np.array([person.by_candidate[n][candidate] for person in people]) ** 2
            cells.append("{:.3f}, {:.3f}".format(*np.sqrt(square.mean(0))))
        lines.append(f"| {candidate} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _intervals(people: Sequence[Person]) -> str:
    lines = _head("interval", [f"after {n}: V, A" for n in AFTER])
    for row, level in enumerate(LEVELS):
        held = [100 * np.mean([person.inside[n][row] for person in people], axis=0) for n in AFTER]
        lines.append(f"| {100 * level:.0f} % | {' | '.join('{:.1f} %, {:.1f} %'.format(*h) for h in held)} |")
    return "\n".join(lines)


def _said(people: Sequence[Person]) -> str:
    lines = []
    for kind in ("true", "shuffled", "noise"):
        said = np.array([claim for person in people for claim in person.claims[kind]])
        either = int(said.any(1).sum())
        low, high = _wilson(either, len(said))
        lines.append(
            f'- {kind}: "better" for valence {said[:, 0].sum()}, for arousal {said[:, 1].sum()}, '
            f"for either {either} of {len(said)} ({100 * either / len(said):.1f} %, 95 % interval "
            f"{100 * low:.1f} to {100 * high:.1f} %)"
        )
    return "\n".join(lines)


def _wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, Wilson 1927."""
    z2 = 1.959964**2
    middle = (hits + z2 / 2) / (n + z2)
    half = np.sqrt(z2 * (hits * (n - hits) / n + z2 / 4)) / (n + z2)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _head(first: str, rest: Sequence[str]) -> list[str]:
    return [f"| {first} | {' | '.join(rest)} |", "| --- |" + " --- |" * len(rest)]


def _errors(people: Sequence[Person], method: str, axis: int) -> Array:
    """Return each person's mean squared error."""
    return np.array([((p.estimates[method] - p.ratings)[:, axis] ** 2).mean() for p in people])


def _means(trials: Sequence[Reading], read: Callable[[Reading], Array]) -> Array:
    return np.array([read(trial).mean(0) for trial in trials])


def _read(result: Calibration, trial: Reading) -> Array:
    return predict(result.predictors, result.scales(result.centre.remove(trial)))


def _rest(result: Calibration, trial: Reading) -> Array:
    prior: Array = result.scales(result.centre.remove(trial)).prior
    return prior


def _inside(result: Calibration, trials: Sequence[Reading], ratings: Array) -> Array:
    """Return the share of smoothed windows whose trial's rating lies within the interval, (levels, axes)."""
    misses = [
        np.abs(smooth(trial, _read(result, trial)) - rating)
        for trial, rating in zip(trials, ratings, strict=True)
    ]
    widths = np.array([[axis.half_width(level) for axis in result.errors] for level in LEVELS])
    held: Array = np.mean([(miss[:, None] <= widths).mean(0) for miss in misses], axis=0)
    return held


def _claims(result: Calibration) -> tuple[bool, bool]:
    valence, arousal = result.judged.verdicts
    return valence.word == "better", arousal.word == "better"
