"""`emod-rt evaluate`: what a model is worth on people it has not met, beside what sees less than it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emod_model.errors import UsageError
from emod_rt.checks import channel_list
from emod_rt.cli.common import Channels, ModelFile

if TYPE_CHECKING:
    from emod_model.checkpoint import Model
    from emod_model.evaluation.outcome import Evaluation


def evaluate(
    protocol: Annotated[
        str, typer.Argument(metavar="PROTOCOL", help="Its name; any other word lists the names.")
    ],
    store: Annotated[
        Path | None, typer.Argument(metavar="STORE", help="Windows that emod-rt prepare made.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="EEGMAT's files, or Muse recordings with index.csv."),
    ] = None,
    model: ModelFile = None,
    channels: Channels = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="Write a page with pictures.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of the bootstrap.")] = 0,
) -> None:
    """Judge a model by a protocol, beside linear baselines and predictors that see no EEG."""
    if (store is None) == (data is None):
        raise UsageError(f"evaluate {protocol} needs a STORE or --data FOLDER, one of the two")
    if store is not None and channels is not None:
        raise UsageError("--channels goes with --data; a store has the electrodes it was prepared with")
    import json

    from rich.console import Console
    from rich.text import Text

    from emod_model.checkpoint import default_checkpoint, load_checkpoint
    from emod_model.evaluation.outcome import as_object
    from emod_model.evaluation.protocols import named
    from emod_rt.cli.evaluation_table import show

    named(protocol)
    checkpoint = load_checkpoint(model or default_checkpoint())
    with Console(stderr=True, highlight=False).status("") as status:

        def tell(what: str) -> None:
            status.update(Text(what))

        if store is not None:
            found = _on_store(store, checkpoint, protocol, tell)
        else:
            assert data is not None
            found = _on_folder(data, channel_list(channels), checkpoint, protocol, tell)
        tell("figures")
        told = as_object(found, seed)
    if report is not None:
        from emod_rt.evaluation.report import write_report

        write_report(report, found, told)
    if as_json:
        typer.echo(json.dumps(told, allow_nan=False))
    else:
        show(Console(highlight=False), told)


def _on_store(path: Path, model: "Model", protocol: str, tell: Callable[[str], None]) -> "Evaluation":
    from emod_model.evaluation.stores import on_store
    from emod_model.store import open_store

    return on_store(open_store(path), model, protocol, tell)


def _on_folder(
    folder: Path, channels: list[str] | None, model: "Model", protocol: str, tell: Callable[[str], None]
) -> "Evaluation":
    from emod_model.evaluation import eegmat
    from emod_model.evaluation.run import on_recordings
    from emod_rt.evaluation import muse

    tell("reading the recordings")
    if (folder / muse.INDEX).is_file():
        return on_recordings(muse.material(folder, channels), model, protocol, tell)
    return on_recordings(eegmat.material(folder, channels), model, protocol, tell)
