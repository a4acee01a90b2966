"""`emod-rt process`: the live path over a file."""

from functools import partial
from typing import Annotated

import typer

from emod_model.errors import UsageError
from emod_rt.checks import channel_list
from emod_rt.cli.common import Channels, JsonlFile, ModelFile, UserName, ending


def process(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A recording in any format that emod-rt reads.")
    ],
    channels: Channels = None,
    model: ModelFile = None,
    user: UserName = None,
    chunk: Annotated[
        int | None,
        typer.Option("--chunk", metavar="N", help="Samples handed over at a time; changes no result."),
    ] = None,
    jsonl: JsonlFile = None,
) -> None:
    """Run the live path over a recording, as fast as it goes."""
    if chunk is not None and chunk < 1:
        raise UsageError(f"--chunk {chunk} is not a number of samples; give 1 or more")
    from rich.console import Console

    from emod_model.checkpoint import default_checkpoint, load_checkpoint
    from emod_rt.calibration.person import Person, load_profile
    from emod_rt.cli.report import Notices, note, progress, summary_table
    from emod_rt.clock import SystemClock
    from emod_rt.offline import OfflineRun
    from emod_rt.sinks.jsonl import JsonLines
    from emod_rt.sources.uri import open_source
    from emod_rt.torchscript import TorchScriptEngine

    clock = SystemClock()
    names = channel_list(channels)
    source = open_source(f"file:{file}", names, paced=False, chunk=chunk, clock=clock)
    checkpoint = load_checkpoint(model or default_checkpoint())
    profile = None if user is None else load_profile(user, checkpoint, names)
    wears = None if profile is None else partial(Person, profile, checkpoint)
    run = OfflineRun(source, TorchScriptEngine(checkpoint, views=profile is not None), clock, wears)
    lines = None if jsonl is None else JsonLines(jsonl)
    err = Console(stderr=True, highlight=False)
    note(err, run.info, checkpoint, run.person)
    notices = Notices(err)
    try:
        with ending(run.stop), progress(err) as bar:
            task = bar.add_task(file, total=None)
            for estimate in run:
                if lines is not None:
                    lines.push(estimate)
                bar.update(task, completed=estimate.index / run.info.sfreq)
                if run.person is not None:
                    notices.tell(run.person.notices())
        if lines is not None:
            lines.close(run.tally.summary())
    except BrokenPipeError:
        # the reader of our output has left, as `| head` does
        return
    except OSError as error:
        raise UsageError(f"{jsonl} takes no more data ({error.strerror}); choose another place") from error
    err.print(summary_table(run.tally.summary()))
