"""`emod-rt replay`: a recording as a live stream."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emod_rt.checks import channel_list, not_negative, positive
from emod_rt.cli.common import Channels, Wait, ending

if TYPE_CHECKING:
    from rich.console import Console

    from emod_rt.replay import Progress, Replay

_SEEK_S = {"left": -10.0, "right": 10.0}


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The recording.")],
    channels: Channels = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Name of the signal's stream; its own, else the file's, by default.",
        ),
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
    """Publish a recording as LSL streams: its signal and every stream of markers, described as they were.

    In a terminal, left and right seek by 10 s, space pauses, q quits. Stamps lie on one even grid that a loop
    continues and a seek or a pause leaves a hole in; at 1x it is this machine's LSL clock.
    """
    not_negative("--wait", wait)
    not_negative("--start", start or 0.0)
    positive("--stop", stop)
    names = channel_list(channels)
    from rich.console import Console

    from emod_rt.readers import read_recording
    from emod_rt.replay import Replay
    from emod_rt.sources.uri import file_and_rate

    path, rate = file_and_rate(str(file), str(file))
    recording = read_recording(path, names, rate)
    player = Replay(recording, name, speed, loop, start, stop)
    # what files say of themselves is no markup
    err = Console(stderr=True, highlight=False, markup=False)
    err.print(
        f"{recording.name}: {len(recording.channels)} electrodes at {recording.sfreq:g} Hz "
        f"as lsl:{player.name}"
    )
    for stream in player.streams[1:]:
        err.print(f"  markers as {stream.metadata.name}")
    for sentence in recording.notes:
        err.print(f"  note: {sentence}", style="yellow")
    _play(player, err, start or 0.0, loop, wait)


def _play(player: "Replay", err: "Console", start: float, loop: bool, wait: float) -> None:
    """Play to the end, with a bar and the keys."""
    from rich.markup import escape

    from emod_rt.cli.keys import keys
    from emod_rt.cli.report import progress

    ended = threading.Event()
    with ending(ended.set), keys() as pressed, progress(err) as bar:
        if pressed is not None:
            err.print("left and right: 10 s back or on, space: pause, q: quit", style="dim")
        task = bar.add_task("waiting for a reader", total=player.duration_s)

        def show(state: "Progress") -> None:
            turn = f", pass {state.turn + 1}" if loop else ""
            told = escape(f"lsl:{player.name}{turn}{', paused' if state.paused else ''}")
            if state.waiting:
                told = "waiting for a reader"
            bar.update(task, completed=state.position_s - start, description=told)
            if pressed is not None:
                _obey(pressed(), state, player, ended)

        met = player.run(ended, wait, show)
    if not met and not ended.is_set():
        err.print(f"No reader came within {wait:g} s; played without one.", style="yellow")


def _obey(pressed: list[str], state: "Progress", player: "Replay", ended: threading.Event) -> None:
    """Do what the keys ask for."""
    place, paused = state.position_s, state.paused
    for key in pressed:
        if key == "q":
            ended.set()
        elif key == "space":
            paused = not paused
            player.pause(paused)
        elif key in _SEEK_S:
            place += _SEEK_S[key]
            player.seek(place)
