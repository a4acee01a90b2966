"""`emod-rt record`: the raw signal to disk, nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from emod_rt.checks import channel_list, not_negative, positive
from emod_rt.cli.common import Channels, Wait, ending
from emod_rt.cli.run import SourceText


def record(
    source: SourceText,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The new XDF file.")],
    channels: Channels = None,
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="S", help="Seconds of signal.")
    ] = None,
    wait: Wait = 30.0,
) -> None:
    """Record a source as acquired, before any filter, as XDF."""
    positive("--duration", duration)
    not_negative("--wait", wait)
    names = channel_list(channels)
    from rich.console import Console

    from emod_rt.cli.report import progress
    from emod_rt.clock import SystemClock
    from emod_rt.recording.take import Take
    from emod_rt.sources.uri import open_source

    err = Console(stderr=True, highlight=False)
    clock = SystemClock()
    take = Take(open_source(source, names, clock=clock), out, clock, duration)
    with err.status(f"Waiting for {source}."):
        info = take.open(wait)
    for sentence in info.notes:
        err.print(f"note: {sentence}", style="yellow")
    with ending(take.stop), progress(err) as bar:
        task = bar.add_task(f"{info.name} -> {out}", total=duration)
        for seconds in take.run():
            bar.update(task, completed=seconds)
    err.print(f"{out}: {take.tally.samples:,} samples, {take.tally.lost:,} lost.")
