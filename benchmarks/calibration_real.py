"""What calibration is worth on real recordings: EEGMAT's rest and arithmetic, Muse's states.

Neither holds ratings of feelings. Points of the plane stand in for them: in EEGMAT arithmetic is aroused
(0.5) and rest is not (-0.5), valence is not asked; in Muse's states confusion is (-0.5, 0.5), understanding
(0.5, 0) and control (0, 0). A person's first halves (EEGMAT) or earlier recordings (Muse) are learnt from,
later ones judged.

    python benchmarks/calibration_real.py [--data ../shared/data]
"""

import argparse
import csv
import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

CAPS = {
    "all 19": None,
    "Cyton, 8": ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"),
    "Muse-like, 4": ("F7", "F8", "T7", "T8"),
}
BASELINE_S = 60.0
SEGMENT_S = 15.0
STATES = {"confused": (-0.5, 0.5), "understanding": (0.5, 0.0), "control": (0.0, 0.0)}
FILE_SEGMENT_S = 45.0
DRAWS = 39  # shufflings for the verdict: 99 in the program, fewer here for time
LEVELS = (0.6827, 0.9)  # of the intervals
METHODS = ("always the mean", "uncalibrated", "rest alone", "calibrated")


@dataclass(frozen=True, eq=False)
class Outcome:
    """One person: estimates of later segments by method, what stands for ratings, the verdict's words.

    `inside`: share of the later windows whose rating the interval holds, level by axis.
    """

    person: str
    estimates: dict[str, Array]
    ratings: Array
    words: tuple[str, str]
    chosen: tuple[str, str]
    inside: Array


def windows_of(path: Path, channels: Sequence[str] | None, model):
    """Return a recording's reading, its windows and its channels, conditioned as the live path does."""
    from emod_model.calibration.reading import read
    from emod_model.signal.windows import Windower
    from emod_rt.readers import read_recording

    recording = read_recording(path, channels)
    windower = Windower(model.spec, recording.sfreq, len(recording.channels), channels=recording.channels)
    windows = []
    for first, start, stop in recording.segments:
        windows += windower.push(first, recording.data[:, start:stop])
    return read(model, windows, recording.channels, recording.sfreq), windows, recording.channels


def segments(reading, start: float, stop: float, length: float) -> list:
    """Return whole segments with at least a third of their windows."""
    edges = np.arange(start, stop - length + 1e-6, length)
    parts = [reading.between(edge, edge + length) for edge in edges]
    return [part for part in parts if len(part) >= length * 2 / 3]


def judge(person, rest, early, late, without, model) -> Outcome | str:
    """Calibrate on (segments, rating) pairs and read later ones; say who has too few that can be read."""
    from emod_model.calibration.design import Session
    from emod_model.calibration.fit import FEWEST_TRIALS, calibrate, predict, smooth

    trials = [(trial, rating) for parts, rating in early for trial in parts]
    unseen = [(trial, rating) for parts, rating in late for trial in parts]
    if len(trials) < FEWEST_TRIALS or not unseen:
        return f"{person} ({len(trials)} segments to learn from, {len(unseen)} to be judged)"
    ratings = np.array([rating for _, rating in trials])
    session = Session(rest, tuple(trial for trial, _ in trials), ratings, rest[slice(0, 0)], without)
    result = calibrate(session, model.info.centred, draws=DRAWS)

    def features(trial):
        return result.scales(result.centre.remove(trial))

    estimates = {
        "always the mean": np.broadcast_to(ratings.mean(0), (len(unseen), 2)),
        "uncalibrated": np.array([trial.mean.mean(0) for trial, _ in unseen]),
        "rest alone": np.array([features(trial).prior.mean(0) for trial, _ in unseen]),
        "calibrated": np.array([predict(result.predictors, features(trial)).mean(0) for trial, _ in unseen]),
    }
    words = tuple(verdict.word for verdict in result.judged.verdicts)
    # as a user sees them: smoothed
    misses = [
        np.abs(smooth(trial, predict(result.predictors, features(trial))) - rating)
        for trial, rating in unseen
    ]
    widths = np.array([[axis.half_width(level) for axis in result.errors] for level in LEVELS])
    inside = np.mean([(miss[:, None] <= widths).mean(0) for miss in misses], axis=0)
    later = np.array([rating for _, rating in unseen])
    return Outcome(person, estimates, later, words, result.chosen, inside)


def eegmat(job: tuple[Path, int, tuple[str, ...] | None]) -> Outcome | str:
    """Judge one person: rest's first minute is the baseline, then first halves against second halves."""
    import torch

    from emod_model.calibration.reading import leave_out
    from emod_model.checkpoint import load_checkpoint, simulated_checkpoint

    torch.set_num_threads(1)
    folder, number, channels = job
    model = load_checkpoint(simulated_checkpoint())
    rest, windows, names = windows_of(folder / f"Subject{number:02d}_1.edf", channels, model)
    task, _, _ = windows_of(folder / f"Subject{number:02d}_2.edf", channels, model)
    end_rest, end_task = (float(part.t[-1]) if len(part) else 0.0 for part in (rest, task))
    middle, half = 0.5 * (BASELINE_S + end_rest), 0.5 * end_task
    calm, busy = (0.0, -0.5), (0.0, 0.5)
    early = [
        (segments(rest, BASELINE_S, middle, SEGMENT_S), calm),
        (segments(task, 0.0, half, SEGMENT_S), busy),
    ]
    late = [
        (segments(rest, middle, end_rest, SEGMENT_S), calm),
        (segments(task, half, end_task, SEGMENT_S), busy),
    ]
    without = leave_out(model, windows[:240], names)
    return judge(f"{number:02d}", rest.between(0.0, BASELINE_S), early, late, without, model)


def muse(job: tuple[Path, str]) -> Outcome | str:
    """Judge one person of Muse's states on the later recordings of each state."""
    import torch

    from emod_model.calibration.reading import leave_out
    from emod_model.checkpoint import load_checkpoint, simulated_checkpoint

    torch.set_num_threads(1)
    folder, person = job
    model = load_checkpoint(simulated_checkpoint())
    with (folder / "index.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["subject"] == person]
    early, late, rest, without = [], [], None, None
    for state, rating in STATES.items():
        names = sorted(row["file"] for row in rows if row["label"] == state)
        for place, name in enumerate(names):
            reading, windows, channels = windows_of(folder / f"{name}.gz", None, model)
            if len(reading) == 0:
                continue
            start, end = 0.0, float(reading.t[-1])
            if state == "control" and rest is None:
                rest, start = reading.between(0.0, BASELINE_S), BASELINE_S
                without = leave_out(model, windows[:240], channels)
            # with a single recording of each state, its halves stand for earlier and later
            cut = end if 2 * (place + 1) <= len(names) + 1 and len(names) > 1 else start
            cut = 0.5 * (start + end) if len(names) == 1 else cut
            early.append((segments(reading, start, cut, FILE_SEGMENT_S), rating))
            late.append((segments(reading, cut, end, FILE_SEGMENT_S), rating))
    return judge(person, rest, early, late, without, model)


def table(title: str, everybody: Sequence[Outcome | str], axes: Sequence[int]) -> list[str]:
    """Return RMSE, and for two states balanced accuracy and AUROC over people, as Markdown."""
    people, left_out = judged(everybody), [each for each in everybody if isinstance(each, str)]
    lines = [f"{title}: {len(people)} people, {sum(len(p.ratings) for p in people)} later segments"]
    lines += [f"Left out, with too few segments that can be read: {', '.join(left_out) or 'nobody'}.", ""]
    lines += [
        "| method | axis | RMSE | better than the mean in | balanced accuracy | AUROC within a person |"
    ]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for axis in axes:
        for method in METHODS:
            error = np.array([((p.estimates[method] - p.ratings)[:, axis] ** 2).mean() for p in people])
            mean = np.array([((p.estimates[METHODS[0]] - p.ratings)[:, axis] ** 2).mean() for p in people])
            scores = [two_states(p.estimates[method][:, axis], p.ratings[:, axis]) for p in people]
            accuracy, auroc = np.mean([score for score in scores if score is not None], axis=0)
            wins = "" if method == METHODS[0] else f"{int((error < mean).sum())} of {len(people)}"
            lines.append(
                f"| {method} | {('valence', 'arousal')[axis]} | {np.sqrt(error.mean()):.3f} | {wins} "
                f"| {accuracy:.3f} | {auroc:.3f} |"
            )
    for axis in axes:
        said = [p.words[axis] for p in people]
        counts = ", ".join(f"{said.count(word)} {word}" for word in sorted(set(said)))
        held = 100 * np.mean([p.inside[:, axis] for p in people], axis=0)
        lines.append(
            f"\nVerdicts on {('valence', 'arousal')[axis]}: {counts}. Intervals of 68 % hold "
            f"{held[0]:.1f} %, of 90 % {held[1]:.1f} % of the later windows."
        )
    return lines


def two_states(estimate: Array, rating: Array) -> tuple[float, float] | None:
    """Return balanced accuracy at the middle of the ratings, and AUROC; None without both states."""
    high = rating > 0.5 * (rating.min() + rating.max())
    if high.all() or not high.any():
        return None
    above = estimate > 0.5 * (rating.min() + rating.max())
    wins = (estimate[high][:, None] > estimate[~high]) + 0.5 * (estimate[high][:, None] == estimate[~high])
    return float(0.5 * (above[high].mean() + (~above[~high]).mean())), float(wins.mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = Path(os.environ.get("EMOD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=shared)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    lines, figures = [], {}
    with ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool:
        for name, channels in CAPS.items():
            people = list(pool.map(eegmat, [(arguments.data / "eegmat", k, channels) for k in range(32)]))
            lines += [*table(f"EEGMAT, {name}", people, (1,)), ""]
            figures[f"eegmat {name}"] = summary(people)
        people = list(pool.map(muse, [(arguments.data / "muse_states", name) for name in ("S1", "S2", "S3")]))
        lines += table("Muse states", people, (0, 1))
        figures["muse"] = summary(people)
    print("\n".join(lines))
    print(json.dumps(figures))


def judged(everybody: Sequence[Outcome | str]) -> list[Outcome]:
    """Return those who had enough."""
    return [each for each in everybody if isinstance(each, Outcome)]


def summary(everybody: Sequence[Outcome | str]) -> dict[str, list[float]]:
    """Return RMSE of each method, and what the intervals hold, valence and arousal."""
    people = judged(everybody)
    held = np.mean([p.inside for p in people], axis=0).round(4).tolist()
    return dict(zip(("held 68 %", "held 90 %"), held, strict=True)) | {
        method: [
            round(
                float(
                    np.sqrt(np.mean([((p.estimates[method] - p.ratings)[:, k] ** 2).mean() for p in people]))
                ),
                4,
            )
            for k in (0, 1)
        ]
        for method in METHODS
    }


if __name__ == "__main__":
    main()
