"""`emod-rt model`: what a checkpoint says of itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from emod_model.checkpoint import Model

app = typer.Typer(help="Model files.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    # Keeps `show` a subcommand: typer folds an app of one command into the app.
    """Model files."""


@app.command()
def show(
    file: Annotated[
        Path | None,
        typer.Argument(help="Checkpoint (.safetensors); the one that comes with the program if none"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a model is: network, signal, training data, figures, licence."""
    import json

    from emod_model.checkpoint import default_checkpoint, load_checkpoint

    model = load_checkpoint(file or default_checkpoint())
    if as_json:
        typer.echo(json.dumps(_as_object(model)))
    else:
        _print_table(model)


def _as_object(model: "Model") -> dict[str, Any]:
    """Return the checkpoint's configuration with what is known of the file."""
    return model.info.model_dump(mode="json") | {
        "parameters": model.n_parameters,
        "sha256": model.sha256,
        "file": str(model.path),
    }


def _rows(model: "Model") -> list[tuple[str, str]]:
    """Return label and text of every row, in reading order."""
    network, spec, labels = model.info.network, model.spec, model.info.labels
    notches = " and ".join(f"{hz:g}" for hz in spec.notch_hz)
    return [
        ("about", model.card),
        (
            "network",
            f"{network.n_layers} layers of {network.n_heads} heads, {network.d_model} features a token, "
            f"time attention: {network.temporal_axis}",
        ),
        ("parameters", f"{model.n_parameters:,}"),
        (
            "signal",
            f"{spec.sfreq:g} Hz, {spec.band_hz[0]:g} to {spec.band_hz[1]:g} Hz, "
            f"notch {f'at {notches} Hz' if notches else 'none'}, {spec.reference} reference, "
            f"windows of {spec.window_s:g} s every {spec.hop_s:g} s, spectrum: {spec.spectrum}",
        ),
        (
            "estimates",
            f"{' and '.join(labels.names)} from {labels.low:g} to {labels.high:g}"
            if model.info.affect_trained
            else "none until it is fine-tuned: it gives tokens and embeddings",
        ),
        ("trained on", model.training_data),
        ("licence", model.info.licence),
        ("sha256", model.sha256),
        ("file", str(model.path)),
    ]


def _print_table(model: "Model") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Text, not str: names and sentences out of a file are never read as markup.
    from emod_rt.view import unvalidated

    name = Text(model.name, style="bold")
    if model.simulated:
        name.append("  ").append(" SIMULATED ", style="bold black on yellow")
    if model.unvalidated:
        name.append("  ").append(f" {unvalidated(model.unvalidated)} ", style="bold black on yellow")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row(Text("model", style="dim"), name)
    for label, text in _rows(model):
        table.add_row(Text(label, style="dim"), Text(text))
    console = Console()
    console.print(table)
    console.print(_figures(model.info.figures))


def _figures(figures: dict[str, float]) -> "Table":
    """Lay figures out: "subject/measure" as a row of its subject and a column of its measure."""
    from rich.table import Table
    from rich.text import Text

    subjects: dict[str, dict[str, float]] = {}
    for name, value in figures.items():
        subject, _, measure = name.rpartition("/")
        subjects.setdefault(subject, {})[measure] = value
    measures = list(dict.fromkeys(measure for row in subjects.values() for measure in row))
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(Text("figures" if figures else "no figures measured", style="dim"))
    for measure in measures:
        table.add_column(Text(measure), justify="right")
    for subject, row in subjects.items():
        values = (f"{row[measure]:.3f}" if measure in row else "" for measure in measures)
        table.add_row(Text(subject.replace("/", " ").replace("_", " ")), *values)
    return table
