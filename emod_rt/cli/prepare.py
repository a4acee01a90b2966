"""`emod-rt prepare`: a corpus into a store of windows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emod_model.errors import UsageError
from emod_rt.checks import positive
from emod_rt.cli.common import ModelFile, ending

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from emod_model.corpora import Corpus
    from emod_model.store import Prepared, Recipe

SHORTEST_S = 0.01
"""Hop that is still a sample or more at any rate."""
CLUSTER_WAIT_S = 10.0

VocabularyFile = Annotated[
    Path | None,
    typer.Option(
        "--vocabulary",
        metavar="FILE",
        help="With bids: where its classes lie, the scale of its ratings (TOML).",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="Scheduler of a Dask cluster that takes the place of --workers."
    ),
]


def prepare(
    corpus: Annotated[
        str, typer.Argument(metavar="CORPUS", help="Its name; any other word lists the names.")
    ],
    raw: Annotated[
        Path, typer.Argument(metavar="RAW", help="Folder of the corpus as it was downloaded and unpacked.")
    ],
    store: Annotated[Path, typer.Argument(metavar="STORE", help="The new file (HDF5).")],
    model: ModelFile = None,
    window: Annotated[
        float | None,
        typer.Option("--window", metavar="S", help="Length of a window, s; the model's if none."),
    ] = None,
    hop: Annotated[
        float | None,
        typer.Option("--hop", metavar="S", help="Time between windows, s; one after the other if none."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="Processes; one a core if none.")
    ] = None,
    ica: Annotated[
        bool, typer.Option("--ica", help="Take eyes, muscle and heart out first (needs mne-icalabel).")
    ] = False,
    vocabulary: VocabularyFile = None,
    cluster: Cluster = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as one JSON object.")] = False,
) -> None:
    """Cut a corpus into windows as a model gets them live; after a kill the same command goes on."""
    _check(workers, window, hop)
    import json

    from rich.console import Console
    from rich.text import Text

    import emod_rt.corpora  # noqa: F401 its recordings are a corpus too
    from emod_model.corpora import open_corpus

    opened = open_corpus(corpus, raw)
    if vocabulary is not None:
        _give(opened, vocabulary)
    recipe = _recipe(opened.name, model, window, hop, ica)
    err = Console(stderr=True, highlight=False, soft_wrap=True)
    found = _carry_out(opened, raw, store, recipe, workers or os.cpu_count() or 1, cluster, err)
    if as_json:
        typer.echo(json.dumps(_as_object(found)))
        return
    for sentence in _sentences(found):
        err.print(Text(f"  note: {sentence}", style="yellow"))
    err.print(_table(found))


def _check(workers: int | None, window: float | None, hop: float | None) -> None:
    """Refuse numbers that mean nothing before anything is imported."""
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers} is not a number of processes; give 1 or more")
    positive("--window", window)
    positive("--hop", hop)
    if hop is not None and hop < SHORTEST_S:
        raise UsageError(f"--hop {hop:g} is less than a sample; give {SHORTEST_S:g} s or more")


def _carry_out(
    corpus: "Corpus",
    raw: Path,
    store: Path,
    recipe: "Recipe",
    workers: int,
    cluster: str | None,
    err: "Console",
) -> "Prepared":
    """Prepare everyone, with a bar, until a signal asks for the end."""
    from emod_model.store import write_store

    at = {"people": (0, len(corpus.subjects()))}

    def stop() -> None:
        # no error of ours: a person would be left out for it
        raise KeyboardInterrupt

    try:
        with ending(stop), _machines(cluster), _bar(err) as bar:
            task = bar.add_task(corpus.name)

            def progress(what: str, done: int, of: int) -> None:
                at[what] = done, of
                bar.update(task, description=what, completed=done, total=of)

            return write_store(corpus, raw, store, recipe, workers, progress)
    except KeyboardInterrupt:
        done, of = at["people"]
        raise UsageError(
            f"stopped with {done} of {of} people done; the same command goes on from there"
        ) from None


def _recipe(corpus: str, model: Path | None, window: float | None, hop: float | None, ica: bool) -> "Recipe":
    """Return what is done: as the model says, with a window of one's own."""
    from pydantic import ValidationError

    from emod_model.checkpoint import default_checkpoint, load_checkpoint
    from emod_model.signal.spec import SignalSpec
    from emod_model.store import Recipe
    from emod_model.toml import first_problem

    spec = load_checkpoint(model or default_checkpoint()).spec
    if window is not None:
        if window * spec.tokens_per_s < 1:
            raise UsageError(f"--window {window:g} s is less than a token of {1 / spec.tokens_per_s:g} s")
        try:
            spec = SignalSpec.model_validate(spec.model_dump() | {"window_s": window})
        except ValidationError as error:
            raise UsageError(f"--window: {first_problem(error)}") from error
    return Recipe(corpus=corpus, signal=spec, hop_s=spec.window_s if hop is None else hop, ica=ica)


def _give(corpus: "Corpus", file: Path) -> None:
    """Give a BIDS dataset the user's vocabulary."""
    from emod_model.affect import load_vocabulary
    from emod_model.corpora.bids import BIDS

    if not isinstance(corpus, BIDS):
        raise UsageError(f"--vocabulary goes with bids; {corpus.name} has its own")
    corpus.vocabulary = load_vocabulary(file)


@contextmanager
def _machines(address: str | None) -> Iterator[None]:
    """Within this, people are prepared on a cluster, if one is named."""
    if address is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError(
            "--cluster needs Dask, which is not installed; pip install 'emod-rt[cluster]'"
        ) from error
    from joblib import parallel_config

    try:
        client = Client(address, timeout=f"{CLUSTER_WAIT_S:g}s")
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address}; give it as tcp://host:8786") from error
    with client, parallel_config(backend="dask"):
        yield


def _bar(console: "Console") -> "Progress":
    """Return a progress bar that counts files or people."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _as_object(found: "Prepared") -> dict[str, Any]:
    return {
        "store": str(found.path),
        "bytes": found.path.stat().st_size,
        "there_before": found.before,
        "resumed": found.resumed,
        "manifest": found.manifest.model_dump(mode="json"),
    }


def _sentences(found: "Prepared") -> list[str]:
    """Return what a person should know beside the figures."""
    manifest = found.manifest
    return [
        *(["it was there already, of the same files and settings; nothing was done"] if found.before else []),
        *([f"{found.resumed} people had been done by an earlier run"] if found.resumed else []),
        *(f"{each.subject} is left out: {each.reason}" for each in manifest.refused),
        *(f"{sentence} (times {n})" if n > 1 else sentence for sentence, n in manifest.notes.items()),
    ]


def _table(found: "Prepared") -> "Table":
    """Return what is in the store, for people."""
    from rich.table import Table
    from rich.text import Text

    manifest, counts = found.manifest, found.manifest.counts
    spec = manifest.recipe.signal
    band = " to ".join(f"{hz:g}" for hz in spec.band_hz)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    regions = {name: n for name, n in counts.region.items() if n}
    for label, text in (
        ("store", f"{found.path}, {found.path.stat().st_size / 1e6:,.1f} MB"),
        ("windows", f"{manifest.windows:,} of {spec.window_s:g} s every {manifest.recipe.hop_s:g} s"),
        ("signal", f"{spec.sfreq:g} Hz, {band} Hz"),
        ("people", f"{len(counts.subject)}"),
        ("electrodes", f"{len(manifest.channels)}: {' '.join(manifest.channels)}"),
        ("labels", _list(counts.label)),
        ("regions", _list(regions)),
        ("rest", f"{counts.baseline:,}" if counts.baseline else ""),
        ("lost", _list(manifest.lost)),
    ):
        if text:
            table.add_row(label, Text(text))
    return table


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
