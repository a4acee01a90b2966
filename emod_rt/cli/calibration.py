"""A calibration from the command line: the screen there is, the session, the fit."""

import contextlib
import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emod_model.errors import UsageError
from emod_rt.cli.common import Waiting, ending

if TYPE_CHECKING:
    from rich.console import Console

    from emod_model.checkpoint import Model
    from emod_rt.calibration.finish import Result
    from emod_rt.calibration.protocol import Protocol
    from emod_rt.calibration.scene import Scene, Stimulus
    from emod_rt.calibration.sitting import Sitting
    from emod_rt.clock import Clock
    from emod_rt.session import Session

    # a screen; when every trial is done it may ask for the result, and show it
    Show = Callable[[Sitting, Callable[[], Result]], object]


def find_screen(
    err: "Console",
    clock: "Clock",
    stop: threading.Event,
    files: "Sequence[Stimulus]",
    *,
    headless: bool,
) -> "Show":
    """Return the screen there is: the window, else the terminal.

    Raises
    ------
    UsageError
        There is neither, or it cannot show the files.
    """
    from emod_rt.cli.keyboard import keyboard
    from emod_rt.cli.screen import screen, window_fault

    fault = None if headless else window_fault()
    if not headless and fault is None:
        screen("stimuli")(files)
        show = screen("calibration")

        def in_window(sitting: "Sitting", conclude: "Callable[[], Result]") -> None:
            show(sitting, conclude, stop)

        return in_window
    why = "" if fault is None else f"{fault.rstrip('.')}, and "
    if files:
        raise UsageError(
            f"{why}a terminal shows no images or films; "
            "use a display without --headless, or leave out --stimuli"
        )
    if keyboard() is None or not err.is_terminal:
        raise UsageError(
            f"{why}this is no terminal in which a person could answer; "
            "run it in one, or fit a recording with --from"
        )
    if fault is not None:
        err.print(f"{fault} The terminal asks instead of the window.", style="yellow")

    def in_terminal(sitting: "Sitting", _conclude: "Callable[[], Result]") -> None:
        from emod_rt.calibration.terminal import run
        from emod_rt.cli.keys import keys

        with keys() as pressed:
            if pressed is None:
                raise UsageError("the command runs in the background; bring it to the front to calibrate")
            run(sitting, err, pressed, clock, stop)

    return in_terminal


def sit_through(
    session: "Session",
    protocol: "Protocol",
    clock: "Clock",
    show: "Show",
    stop: threading.Event,
    err: "Console",
    *,
    as_json: bool,
) -> None:
    """Open the source, let the person sit through the calibration, and fit it.

    The window fits while it is open, to show the verdict.
    """
    from emod_rt.calibration.live import close, hold, where
    from emod_rt.cli.report import Notices, note

    fitted: list[Result] = []

    def fit(path: Path) -> "Result":
        err.print(f"Recorded in {path}.", soft_wrap=True, markup=False)
        fitted.append(fit_recording(str(path), None, protocol.user, session.model, err))
        return fitted[-1]

    def shown(sitting: "Sitting") -> None:
        def conclude() -> "Result":
            close(session)
            return fit(where(session, sitting))

        show(sitting, conclude)

    # to the very end: whenever a signal comes, the recording is closed and the person told what there is
    with ending(stop.set, lambda: session.begun):
        try:
            with err.status(Waiting(lambda: session.view().message or "")):
                session.start()
            if session.info is not None:
                note(err, session.info, session.model)
            scene, path = hold(session, protocol, clock, shown)
        finally:
            # a screen that fails must not leave threads behind, nor a device held
            close(session)
        Notices(err).tell(session.sink_notes())
        if scene.kind != "done":
            _aborted(scene, path, protocol, err)
            if session.error is not None:
                raise session.error
            return
        if not fitted:
            with leaving(err, protocol.user, str(path), stop):
                fit(path)
        if as_json:
            print_numbers(fitted[-1])


@contextlib.contextmanager
def leaving(err: "Console", user: str, recording: str, stop: threading.Event | None = None) -> Iterator[None]:
    """Within this, Ctrl-C and SIGTERM end the command at once, and the fit is left for later.

    Parameters
    ----------
    err : Console
        Where it is said how to fit it then.
    user, recording : str
        Whose, and what.
    stop : threading.Event, optional
        Set when the end was asked for already.
    """

    def leave() -> None:
        raise SystemExit(0)

    try:
        with ending(leave):
            if stop is not None and stop.is_set():
                leave()
            yield
    except SystemExit:
        err.print("Ended before it was fitted; the recording is whole.", soft_wrap=True)
        _tell_how(err, user, recording)
        raise


def _aborted(scene: "Scene", path: Path, protocol: "Protocol", err: "Console") -> None:
    """Say what there is, and how to fit it."""
    err.print(f"{scene.text} It is {path}.", soft_wrap=True, markup=False)
    if protocol.enough:
        _tell_how(err, protocol.user, str(path))


def _tell_how(err: "Console", user: str, recording: str) -> None:
    again = shlex.join(["emod-rt", "calibrate", "--user", user, "--from", recording])
    err.print(f"Fit it: {again}", soft_wrap=True, markup=False)


def fit_recording(path: str, names: list[str] | None, user: str, model: "Model", err: "Console") -> "Result":
    """Fit what a recording holds, store it, and say what it is worth."""
    from rich.markup import escape

    from emod_rt.calibration.finish import finish
    from emod_rt.calibration.from_recording import read_session
    from emod_rt.cli.report import Notices
    from emod_rt.readers import read_recording

    with err.status(f"Reading {escape(path)}."):
        run = read_session(read_recording(path, names), model)
    if run.user != user:
        Notices(err).tell([f"The recording is of {run.user}; the profile is made for {user}, as asked."])
    return finish(replace(run, user=user), model, err)


def print_numbers(result: "Result") -> None:
    """Print the report's numbers as JSON."""
    typer.echo(result.report.numbers.read_text(encoding="utf-8"), nl=False)
