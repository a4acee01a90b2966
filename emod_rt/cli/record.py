"""`emod-rt record`: the raw signal and the markers to disk, nothing else."""

from typing import Annotated

import typer

from emod_rt.checks import channel_list, not_negative, positive
from emod_rt.cli.common import (
    Channels,
    Impedance,
    NoReconnect,
    SessionLabel,
    Subject,
    Task,
    Wait,
    Waiting,
    ending,
)
from emod_rt.cli.run import SourceText


def record(
    source: SourceText,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FILE|FOLDER", help="The new XDF file, or its folder (recordings)."),
    ] = None,
    subject: Subject = None,
    session_label: SessionLabel = None,
    task: Task = None,
    channels: Channels = None,
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="S", help="Seconds of signal.")
    ] = None,
    wait: Wait = 30.0,
    no_reconnect: NoReconnect = False,
    impedance: Impedance = False,
) -> None:
    """Record a source as acquired, before any filter, and every marker stream on the network, as XDF."""
    positive("--duration", duration)
    not_negative("--wait", wait)
    names = channel_list(channels)
    from rich.console import Console
    from rich.markup import escape

    from emod_rt.cli.report import Notices, progress
    from emod_rt.cli.typed import TypedMarkers
    from emod_rt.clock import SystemClock
    from emod_rt.recording.names import place
    from emod_rt.recording.take import Take
    from emod_rt.sources.uri import open_source

    err = Console(stderr=True, highlight=False)
    clock = SystemClock()
    where = place(out, subject, session_label, task)
    waits = [f"Waiting for {source}."]
    opened = open_source(source, names, clock=clock, impedance=waits.append if impedance else None)
    take = Take(opened, where, clock, duration, reconnect=not no_reconnect)
    with ending(take.stop, lambda: take.begun):
        with err.status(Waiting(lambda: waits[-1])):
            info = take.open(wait)
        notices = Notices(err)
        notices.tell(f"note: {sentence}" for sentence in info.notes)
        typed = TypedMarkers(take, err)
        try:
            with progress(err, typed.prompt) as bar, typed:
                typed.changed = bar.refresh
                task_bar = bar.add_task(escape(f"{info.name} -> {take.path}"), total=duration)
                for seconds in take.run():
                    bar.update(task_bar, completed=seconds)
                    notices.tell(take.notices())
        finally:
            notices.tell(take.notices())
            counted = f"{take.path}: {take.tally.samples:,} samples, {take.tally.lost:,} lost."
            err.print(escape(counted), soft_wrap=True)
