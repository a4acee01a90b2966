"""`emod-rt export-recording`: a recording in the formats of other programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from emod_model.errors import UsageError
from emod_rt.checks import channel_list
from emod_rt.cli.common import Channels, ending


class Format(StrEnum):
    """What can be written."""

    BIDS = "bids"
    EDF = "edf"
    FIF = "fif"
    CSV = "csv"


def export_recording(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A recording in any format that emod-rt reads.")
    ],
    to: Annotated[Format, typer.Option("--to", help="The format; with edf, NAME.bdf keeps 24 bits.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="PATH", help="The new file; for bids the folder of the dataset.")
    ],
    channels: Channels = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="ID", help="For bids; by default from FILE's name.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="For bids; by default from FILE's name.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", metavar="NAME", help="For bids; by default from FILE's name.")
    ] = None,
) -> None:
    """Write a recording as BIDS-EEG, EDF+ or BDF+, FIF or CSV, its markers and estimates beside it."""
    names = channel_list(channels)
    if to is not Format.BIDS and any(each is not None for each in (subject, session, task)):
        raise UsageError(
            f"--subject, --session and --task name files in a BIDS dataset; leave them out of --to {to}"
        )
    from rich.console import Console
    from rich.text import Text

    from emod_rt.cli.report import progress
    from emod_rt.export import export_recording as export
    from emod_rt.readers import read_recording
    from emod_rt.sources.uri import file_and_rate

    def give_up() -> None:
        raise UsageError("stopped before it was done, so nothing was written; start it again")

    err = Console(stderr=True, highlight=False, soft_wrap=True)
    with ending(give_up), progress(err) as bar:
        task_id = bar.add_task(f"reading {file}", total=None)
        path, rate = file_and_rate(file, file)
        recording = read_recording(path, names, rate)
        for sentence in recording.notes:
            err.print(Text(f"  note: {sentence}", style="yellow"))
        bar.update(task_id, description=f"writing {out}")
        done = export(
            recording, to, out, subject, session, task, lambda seconds: bar.update(task_id, completed=seconds)
        )
    for sentence in done.notes:
        err.print(Text(f"  note: {sentence}", style="yellow"))
    beside = "" if len(done.files) == 1 else f", {len(done.files) - 1} more files"
    err.print(
        Text(
            f"{done.path}: {len(recording.channels)} electrodes, {recording.index.size:,} samples, "
            f"{recording.lost:,} lost, {len(recording.markers):,} markers{beside}."
        )
    )
