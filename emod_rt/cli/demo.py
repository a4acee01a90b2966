"""`emod-rt demo`: everything, without a headset."""

from pathlib import Path
from typing import Annotated

import typer

from emod_rt.checks import positive

_IN_A_WINDOW_S = 600.0
_IN_A_TERMINAL_S = 30.0


def demo(
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration", metavar="S", help="Seconds; ten minutes in a window, half a minute without."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Which simulated person.")] = 1,
    screenshot: Annotated[
        Path,
        typer.Option("--screenshot", metavar="FILE", help="Without a display: the dashboard as a picture."),
    ] = Path("emod-demo.png"),
) -> None:
    """Stream a simulated person over LSL and show the estimates; nobody's brain is involved."""
    positive("--duration", duration)
    import os

    from rich.console import Console

    from emod_model.checkpoint import simulated_checkpoint
    from emod_rt.cli.run import run_session
    from emod_rt.cli.screen import screen, window_fault
    from emod_rt.demo import SimulatedStream
    from emod_rt.session import Session

    err = Console(stderr=True, highlight=False)
    window = window_fault() is None
    seconds = duration or (_IN_A_WINDOW_S if window else _IN_A_TERMINAL_S)
    name = f"emod-demo-{os.getpid()}"
    with err.status("Simulating a person."):
        stream = SimulatedStream(seed, seconds + 5, name)
    # the truth of this person is known, and these weights were taught by people of its kind
    session = Session(f"lsl:{name}", simulated_checkpoint(), duration_s=seconds)
    with stream:
        view = run_session(session, headless=not window)
    if view is not None:
        try:
            screen("picture")(view, screenshot)
            err.print(f"The dashboard would look like this: {screenshot}")
        except ImportError as error:
            err.print(f"No picture: Qt misses a library ({error}); `emod-rt doctor` says how to mend it.")
