"""`emod-rt replay`: a recording as a live stream."""

from pathlib import Path
from typing import Annotated

import typer

from emod_rt.checks import channel_list, not_negative, positive
from emod_rt.cli.common import Channels, Wait, ending


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The recording.")],
    channels: Channels = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Name of the stream; the file's by default."),
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", metavar="X", help="Times the speed of life, 0.1 to 20.")
    ] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end.")] = False,
    start: Annotated[
        float | None, typer.Option("--start", metavar="S", help="Begin here in the recording, s.")
    ] = None,
    stop: Annotated[
        float | None, typer.Option("--stop", metavar="S", help="End here in the recording, s.")
    ] = None,
    wait: Wait = 30.0,
) -> None:
    """Publish a recording as LSL streams: its signal, and its markers when it has any."""
    not_negative("--wait", wait)
    not_negative("--start", start or 0.0)
    positive("--stop", stop)
    names = channel_list(channels)
    import threading

    from rich.console import Console

    from emod_rt.cli.report import progress
    from emod_rt.readers import read_recording
    from emod_rt.replay import Progress, Replay
    from emod_rt.sources.uri import file_and_rate

    path, rate = file_and_rate(str(file), str(file))
    recording = read_recording(path, names, rate)
    player = Replay(recording, name, speed, loop, start, stop)
    err = Console(stderr=True, highlight=False)
    err.print(
        f"{recording.name}: {len(recording.channels)} electrodes at {recording.sfreq:g} Hz "
        f"as lsl:{player.name}"
    )
    for sentence in recording.notes:
        err.print(f"  note: {sentence}", style="yellow")
    ended = threading.Event()
    with ending(ended.set), progress(err) as bar:
        task = bar.add_task("waiting for a reader", total=player.duration_s)

        def show(state: Progress) -> None:
            turn = f", pass {state.turn + 1}" if loop else ""
            told = "waiting for a reader" if state.waiting else f"lsl:{player.name}{turn}"
            bar.update(task, completed=state.position_s - (start or 0.0), description=told)

        met = player.run(ended, wait, show)
    if not met and not ended.is_set():
        err.print(f"No reader came within {wait:g} s; played without one.", style="yellow")
