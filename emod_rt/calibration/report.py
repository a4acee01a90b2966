"""The report of a calibration: one page for people, and the same numbers for programs."""

import json
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emod_model.errors import UsageError
from emod_rt.calibration import figures
from emod_rt.calibration.numbers import POINTS, AxisNumbers, Numbers
from emod_rt.calibration.page import heading, page, paragraph, picture, table
from emod_rt.calibration.store import write_new
from emod_rt.calibration.verdict import LOW, advice, headline, meaning

if TYPE_CHECKING:
    from emod_model.calibration.profile import Profile
    from emod_rt.calibration.from_recording import CalibrationRun

_REASONS = {
    "settling": "while the filter settled",
    "gap": "with lost samples",
    "bad-signal": "with a bad signal",
}

_METHODS = {
    "rest": "centred on this person's rest, nothing learnt from the ratings",
    "ridge": "centred, and corrected linearly by the ratings (a larger number trusts them less)",
    "adapter": "a small adapter in the frozen network, learnt from the ratings",
    "semi-supervised": "the same adapter, learnt from the unrated windows too",
}


@dataclass(frozen=True)
class Report:
    """Where a report is.

    Attributes
    ----------
    page, numbers : pathlib.Path
        HTML, and JSON beside it.
    """

    page: Path
    numbers: Path


def write_report(run: "CalibrationRun", profile: "Profile", numbers: Numbers) -> Report:
    """Write the report next to the recording or, where nothing can be written, here; nothing is overwritten.

    Raises
    ------
    UsageError
        It can be written nowhere.
    """
    text = page(f"Calibration of {profile.user}", _parts(run, profile, numbers)).encode()
    told = (json.dumps(_object(run, profile, numbers), indent=1, allow_nan=False) + "\n").encode()
    stem = f"{run.recording.stem}_calibration"
    problem: UsageError | None = None
    for folder in (run.recording.absolute().parent, Path.cwd()):
        report = _free(folder, stem)
        try:
            write_new(report.page, text)
            write_new(report.numbers, told)
        except UsageError as error:
            problem = error
        else:
            return report
    assert problem is not None
    raise problem


def _free(folder: Path, stem: str) -> Report:
    number = 1
    while True:
        name = stem if number == 1 else f"{stem}-{number}"
        report = Report(folder / f"{name}.html", folder / f"{name}.json")
        if not (report.page.exists() or report.numbers.exists()):
            return report
        number += 1


def _parts(run: "CalibrationRun", profile: "Profile", numbers: Numbers) -> list[str]:
    return [
        *_head(run, profile),
        *_verdicts(numbers, profile),
        heading("How near the readings came"),
        paragraph(
            "Each trial was read by a calibration that had not seen it: it was fitted on all the others. "
            f"Valence is how pleasant, arousal how stirring, on the scale from 1 to 9 of the ratings; the "
            f"average is what this person said over all {len(numbers.trials)} trials."
        ),
        picture(
            figures.scatter(numbers),
            "Reading against rating, trial by trial, for valence and arousal.",
            "Points on the slanting line are read as they were rated; points along the dashed line say no "
            "more than the average does. Bars: in two cases of three the rating lies within. Numbers: the "
            "trial.",
        ),
        _comparison(numbers),
        picture(
            figures.plane(numbers),
            "Where each trial was rated and where it was read on the plane of valence and arousal.",
            "A ring where a trial was rated, a point where it was read. Short lines are good.",
        ),
        heading("Along each trial"),
        picture(
            figures.courses(numbers, [trial.t - trial.t[0] for trial in run.session.trials]),
            "Reading of valence and arousal along each trial, beside its rating.",
            "The reading as it would have been live (seconds after the first that counts), by a calibration "
            "that had not seen the trial.",
        ),
        *_signal(run, numbers),
        heading("Would fewer trials have done?"),
        picture(
            figures.learning(numbers.curve, numbers.axes),
            "Typical error on unseen trials after the first trials.",
            "Typical error on trials that were not seen, had the session ended earlier (simple methods only, "
            "so the end may differ a little from the table above). Still falling at the end: more trials "
            "would help. Above the dashed line: the average would have been the better guess.",
        ),
        *_methods(numbers),
        *_small_print(run, profile),
    ]


def _head(run: "CalibrationRun", profile: "Profile") -> list[str]:
    date = profile.created[:16].replace("T", " ")
    parts = [
        f"<h1>Calibration of {escape(profile.user)}</h1>",
        paragraph(
            f"{date} UTC, {len(run.trials)} rated trials, {len(run.channels)} electrodes, "
            f"model {profile.model}",
            "dim",
        ),
    ]
    if profile.simulated:
        what = "The signal is simulated" if run.simulated else "The model was trained on simulated signals"
        parts.append(
            f'<p class="made-up"><strong>SIMULATED.</strong> {what}: this page shows that the program works '
            "and says nothing about a person.</p>"
        )
    if run.aborted:
        parts.append(paragraph("The session was broken off; what had been rated by then counts."))
    return parts


def _verdicts(numbers: Numbers, profile: "Profile") -> list[str]:
    parts = [heading("What it is worth")]
    for axis in numbers.axes:
        word = axis.verdict.word
        kind = word if word in ("better", "worse") else "unsure"
        low = "" if word == "better" else f' <span class="low">{LOW}</span>'
        parts.append(
            f'<div class="verdict {kind}"><h3>{escape(headline(axis.name, axis.verdict))}{low}</h3>'
            f"<p>{escape(meaning(axis.verdict))}</p></div>"
        )
    if do := advice(profile):
        parts.append(f"<p><strong>What to do:</strong> {escape(do)}</p>")
    return parts


def _comparison(numbers: Numbers) -> str:
    rows = []
    for axis in numbers.axes:
        verdict = axis.verdict
        for who, error, ccc in (
            ("this calibration", verdict.rmse, verdict.ccc),
            ("always the average", verdict.mean_rmse, 0.0),
            ("the model as it is for everybody", verdict.general_rmse, verdict.general_ccc),
        ):
            rows.append((axis.name if who == "this calibration" else "", who, _n(POINTS * error), _n(ccc)))
    note = paragraph(
        "Typical error: root of the mean squared distance between reading and rating. Agreement "
        "(concordance) is 1 when reading and rating are the same and 0 when they have nothing in common. "
        "The average knows the rating that it is compared with, which the calibration does not: it is a hard "
        "opponent.",
        "dim",
    )
    return table(("", "", "typical error, points", "agreement"), rows, 2) + note


def _signal(run: "CalibrationRun", numbers: Numbers) -> list[str]:
    rows = []
    for trial in run.trials:
        quality = trial.quality
        reasons = ", ".join(
            f"{count} {_REASONS.get(name, name)}" for name, count in sorted(quality.reasons.items())
        )
        rows.append(
            (
                str(trial.number),
                trial.stimulus,
                str(trial.valence),
                str(trial.arousal),
                f"{quality.valid} of {quality.expected}",
                reasons or "none",
            )
        )
    heads = ("trial", "stimulus", "valence", "arousal", "windows read", "windows without a reading")
    return [
        heading("The signal"),
        picture(
            figures.quality(numbers),
            "Share of each trial that could be read, and how often each electrode was good.",
            "Above, how much of each trial could be read; below, in how much of that each electrode was "
            "good. A dark row is an electrode to press on before the next session.",
        ),
        '<div class="trials">' + table(heads, rows, 6) + "</div>",
        *(paragraph(note) for note in run.notes),
    ]


def _methods(numbers: Numbers) -> list[str]:
    valence, arousal = numbers.axes
    rows = [
        (name, _METHODS[name.split()[0]], _mark(valence, name), _mark(arousal, name))
        for name in valence.methods
    ]
    return [
        heading("By method"),
        paragraph(
            "Typical error of each method on trials that it had not seen, in points; * is what the profile "
            "uses: the simplest whose error cannot be told from the best one's. The verdict above judges "
            "this choice too."
        ),
        table(("method", "", "valence", "arousal"), rows, 2),
    ]


def _mark(axis: AxisNumbers, method: str) -> str:
    return f"{'* ' if method == axis.chosen else ''}{_n(axis.methods[method])}"


def _small_print(run: "CalibrationRun", profile: "Profile") -> list[str]:
    channels = ", ".join(run.channels)
    return [
        heading("Small print"),
        paragraph(
            "Windows of one trial are never on both sides of a fit and its test, and methods are chosen "
            "within each fit. Ratings are those of two pictorial scales from 1 to 9. The word better is said "
            "of at most one in twenty people whose signal has nothing to do with their ratings."
        ),
        paragraph(
            f"Recording {run.recording.name}, {run.sfreq:g} Hz; electrodes {channels}; "
            f"model {profile.model}, checksum {profile.model_sha256}.",
            "dim",
        ),
    ]


def _object(run: "CalibrationRun", profile: "Profile", numbers: Numbers) -> dict[str, Any]:
    return {
        "format": 1,
        "user": profile.user,
        "created": profile.created,
        "simulated": profile.simulated,
        "aborted": run.aborted,
        "recording": run.recording.name,
        "sfreq": run.sfreq,
        "model": profile.model,
        "model_sha256": profile.model_sha256,
        "channels": list(run.channels),
        "unit": "points of the scale from 1 to 9; verdicts in [-1, 1]",
        "trials": [asdict(trial) for trial in run.trials],
        "rest": asdict(run.rest),
        "notes": list(run.notes),
        "axes": [asdict(axis) for axis in numbers.axes],
        "course_s": [[round(float(t), 4) for t in trial.t] for trial in run.session.trials],
        "learning_curve": asdict(numbers.curve),
    }


def _n(value: float) -> str:
    # never a negative zero
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
