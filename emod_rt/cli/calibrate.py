"""`emod-rt calibrate`: a person's own model."""

import re
import secrets
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emod_model.errors import UsageError
from emod_rt.checks import channel_list, not_negative
from emod_rt.cli.calibration import find_screen, fit_recording, leaving, print_numbers, sit_through
from emod_rt.cli.common import Channels, ModelFile, Wait

if TYPE_CHECKING:
    from rich.console import Console

    from emod_model.signal.spec import SignalSpec
    from emod_rt.calibration.protocol import Protocol
    from emod_rt.calibration.scene import Stimulus
    from emod_rt.calibration.schedule import Schedule
    from emod_rt.recording.names import Place

_SEEDS = 2**31
_TRIALS = 8
_TRIAL_S = 45.0


def calibrate(
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Whose profile is made.")],
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="SRC", help="The headset, as for run."),
    ] = None,
    recording: Annotated[
        str | None,
        typer.Option("--from", metavar="RECORDING", help="Fit an earlier calibration from disk instead."),
    ] = None,
    stimuli: Annotated[
        str | None,
        typer.Option("--stimuli", metavar="DIR", help="Images, sounds or films instead of our own prompts."),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", metavar="N", help="Best a multiple of four; usually 8."),
    ] = None,
    trial_s: Annotated[
        float | None, typer.Option("--trial-s", metavar="S", help="Length of a stimulus; usually 45 s.")
    ] = None,
    channels: Channels = None,
    model: ModelFile = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="No window; lines in the terminal, keys to answer.")
    ] = False,
    wait: Wait = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Fit the model to a person: a rest, some rated trials, a verdict (about ten minutes)."""
    not_negative("--wait", wait)
    names = channel_list(channels)
    from rich.console import Console

    from emod_rt.calibration.store import check_user

    user = check_user(user)
    err = Console(stderr=True, highlight=False)
    if (source is None) == (recording is None):
        raise UsageError(
            "a calibration is either made or fitted again; give --source SRC or --from RECORDING"
        )
    if recording is not None:
        _refuse_with_from(stimuli=stimuli, trials=trials, trial_s=trial_s, headless=headless or None)
        _fit_again(recording, names, user, model, err, as_json=as_json)
        return
    assert source is not None
    from emod_rt.calibration.schedule import Schedule
    from emod_rt.clock import SystemClock

    schedule = Schedule(_TRIALS if trials is None else trials, _TRIAL_S if trial_s is None else trial_s)
    clock, stop = SystemClock(), threading.Event()
    there = _stimuli(stimuli)
    show = find_screen(err, clock, stop, () if stimuli is None else there, headless=headless)
    from emod_rt.session import Session

    session = Session(source, model, channels=names, wait_s=wait, record=_place(user), clock=clock)
    protocol = _protocol(schedule, there, user, session.model.spec)
    sit_through(session, protocol, clock, show, stop, err, as_json=as_json)


def _fit_again(
    recording: str, names: list[str] | None, user: str, model: Path | None, err: "Console", *, as_json: bool
) -> None:
    from emod_model.checkpoint import default_checkpoint, load_checkpoint

    with leaving(err, user, recording):
        result = fit_recording(recording, names, user, load_checkpoint(model or default_checkpoint()), err)
    if as_json:
        print_numbers(result)


def _refuse_with_from(**options: object) -> None:
    """Refuse what only a new session could heed.

    Raises
    ------
    UsageError
        One of the options is given, not None.
    """
    names = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    if names:
        raise UsageError(
            f"--from fits what a recording holds, so {' and '.join(names)} cannot change it; "
            f"leave {'it' if len(names) == 1 else 'them'} out, or make a new calibration with --source"
        )


def _place(user: str) -> "Place":
    from emod_rt.recording.names import place

    # a label of BIDS has letters and digits alone
    return place(None, subject=re.sub("[^A-Za-z0-9]", "", user) or None, task="calibration")


def _stimuli(folder: str | None) -> "Sequence[Stimulus]":
    from emod_rt.calibration.prompts import PROMPTS
    from emod_rt.calibration.stimuli import read_folder

    return PROMPTS if folder is None else read_folder(folder)


def _protocol(
    schedule: "Schedule", stimuli: "Sequence[Stimulus]", user: str, spec: "SignalSpec"
) -> "Protocol":
    """Settle what is shown, in an order of its own each time."""
    from emod_rt.calibration.protocol import Protocol
    from emod_rt.calibration.stimuli import choose

    seed = secrets.randbelow(_SEEDS)
    shown = choose(stimuli, schedule.trials, seed)
    return Protocol(replace(schedule, hop_s=spec.hop_s, window_s=spec.window_s), shown, user, seed)
