"""The end of a calibration: fitted, judged, stored and told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from emod_model.calibration.fit import DRAWS, FEWEST_TRIALS, Calibration, calibrate
from emod_model.calibration.profile import Profile
from emod_model.checkpoint import Model
from emod_rt.calibration import store
from emod_rt.calibration.from_recording import CalibrationRun
from emod_rt.calibration.numbers import learning_curve, numbers_of
from emod_rt.calibration.report import Report, write_report
from emod_rt.calibration.verdict import AXES, advice, headline, meaning


@dataclass(frozen=True, eq=False)
class Result:
    """What came of a calibration.

    Attributes
    ----------
    profile : Profile
        As stored.
    calibration : Calibration
        The fit and its judgement.
    report : Report
        Where the page and its numbers are.
    kept : pathlib.Path or None
        Where the person's earlier profile is now.
    """

    profile: Profile
    calibration: Calibration
    report: Report
    kept: Path | None


def finish(
    run: CalibrationRun,
    model: Model,
    console: Console | None = None,
    *,
    draws: int = DRAWS,
    rich: bool = True,
) -> Result:
    """Fit a person's own reading, judge it, store the profile and write the report.

    Parameters
    ----------
    run : CalibrationRun
        From `read_session`.
    model : Model
        The frozen model that read it.
    console : Console, optional
        Where progress and verdict are said.
    draws, rich
        As for `calibrate`.

    Returns
    -------
    Result
        What came of it.

    Raises
    ------
    UsageError
        The name cannot be a user's, or nothing can be written; a report that cannot be written leaves the
        profile stored.
    """
    user = store.check_user(run.user)
    told = console or Console(quiet=True)
    with _progress(told) as bar:
        steps = len(run.session.trials) - FEWEST_TRIALS + 1
        task = bar.add_task("fitting and judging on unseen trials", total=None)
        calibration = calibrate(run.session, model.info.centred, draws=draws, rich=rich)
        bar.update(task, description="asking what fewer trials would have done", total=steps, completed=0)
        curve = learning_curve(run.session, model.info.centred, lambda: bar.advance(task))
        profile = Profile.of(
            calibration,
            run.session.ratings,
            run.channels,
            model,
            user=user,
            created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            simulated=run.simulated or model.simulated,
        )
        kept = store.save(profile)
        bar.update(task, description="writing the report")
        report = write_report(run, profile, numbers_of(run, calibration, curve))
    result = Result(profile, calibration, report, kept)
    for sentence, style in _sentences(run, result):
        # names and stimuli may be called anything, also what looks like markup
        told.print(Text(sentence, style=style), soft_wrap=True)
    return result


def _sentences(run: CalibrationRun, result: Result) -> list[tuple[str, str]]:
    profile = result.profile
    said = [(f"note: {note}", "yellow") for note in run.notes]
    if profile.simulated:
        said.append(("SIMULATED: this says nothing about a person.", "black on yellow"))
    for axis, verdict in zip(AXES, profile.verdicts, strict=True):
        said.append(
            (f"{headline(axis, verdict)}.", "bold green" if verdict.word == "better" else "bold yellow")
        )
        said.append((meaning(verdict), ""))
    if do := advice(profile):
        said.append((f"What to do: {do}", ""))
    if result.kept is not None:
        said.append((f"The earlier profile of {profile.user} is kept in {result.kept}.", ""))
    said.append((f"Profile: {store.path_of(profile.user)}", ""))
    said.append((f"Report: {result.report.page} (the numbers: {result.report.numbers.name})", ""))
    said.append((f"Use it with --user {profile.user} on emod-rt run and process.", ""))
    return said


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True
    )
