"""`emod-rt evaluate`: what a model is worth on people it has not met, beside what sees less than it."""

from pathlib import Path
from typing import Annotated

import typer

from emod_rt.checks import channel_list
from emod_rt.cli.common import Channels, ModelFile


def evaluate(
    protocol: Annotated[
        str, typer.Argument(metavar="PROTOCOL", help="Its name; any other word lists the names.")
    ],
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="EEGMAT's files, of any of its people.")
    ],
    model: ModelFile = None,
    channels: Channels = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the bootstrap over people.")] = 0,
) -> None:
    """Judge a model by a protocol, beside linear baselines and predictors that see no EEG."""
    import json

    from rich.console import Console
    from rich.text import Text

    from emod_model.checkpoint import default_checkpoint, load_checkpoint
    from emod_model.evaluation.eegmat import material
    from emod_model.evaluation.outcome import as_object
    from emod_model.evaluation.run import on_recordings
    from emod_rt.cli.evaluation_table import show

    err = Console(stderr=True, highlight=False)
    checkpoint = load_checkpoint(model or default_checkpoint())
    with err.status("") as status:

        def tell(what: str) -> None:
            status.update(Text(what))

        tell("reading the recordings")
        found = on_recordings(material(data, channel_list(channels)), checkpoint, protocol, tell)
        status.update("figures")
        told = as_object(found, seed)
    if as_json:
        typer.echo(json.dumps(told, allow_nan=False))
        return
    show(Console(highlight=False), told)
