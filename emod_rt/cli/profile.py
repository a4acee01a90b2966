"""`emod-rt profile`: the calibrations that are stored here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from emod_model.calibration.profile import Profile

app = typer.Typer(help="Profiles of calibrated people.", no_args_is_help=True)

User = Annotated[str, typer.Argument(metavar="NAME", help="Whose profile.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_profiles(as_json: AsJson = False) -> None:
    """List the people who are calibrated here."""
    import json

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from emod_model.errors import InputFileError
    from emod_rt.calibration import store

    rows: list[dict[str, Any]] = []
    for user in store.users():
        try:
            rows.append(_about(store.load(user)))
        except InputFileError as error:
            # one damaged file hides nobody else
            rows.append({"user": user, "fault": str(error)})
    if as_json:
        typer.echo(json.dumps(rows))
        return
    if not rows:
        typer.echo(f"No profiles in {store.folder()}; emod-rt calibrate --user NAME makes one.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("user", "valence", "arousal", "trials", "electrodes", "model", "when"):
        table.add_column(heading, style="" if heading == "user" else "dim")
    for row in rows:
        if "fault" in row:
            table.add_row(Text(row["user"]), Text("damaged, see show", style="yellow"))
            continue
        simulated = " SIMULATED" if row["simulated"] else ""
        words = (*row["verdicts"].values(), str(row["trials"]), str(len(row["channels"])))
        table.add_row(*map(Text, (row["user"], *words, f"{row['model']}{simulated}", row["created"][:10])))
    Console().print(table)


@app.command()
def show(user: User, as_json: AsJson = False) -> None:
    """Show a profile: what it is worth, and what it belongs to."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from emod_rt.calibration import store
    from emod_rt.calibration.verdict import AXES, advice, headline, meaning

    profile = store.load(user)
    if as_json:
        typer.echo(profile.model_dump_json())
        return
    name = Text(profile.user, style="bold")
    if profile.simulated:
        name.append("  ").append(" SIMULATED ", style="bold black on yellow")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    table.add_row("user", name)
    for axis, verdict in zip(AXES, profile.verdicts, strict=True):
        style = "green" if verdict.word == "better" else "yellow"
        table.add_row(axis, Text(f"{headline(axis, verdict)}.", style=style))
        table.add_row("", Text(meaning(verdict)))
    if do := advice(profile):
        table.add_row("what to do", Text(do))
    methods = ", ".join(f"{axis} {method}" for axis, method in zip(AXES, profile.chosen, strict=True))
    for label, text in (
        ("made", f"{profile.created} (UTC), from {len(profile.ratings)} rated trials"),
        ("method", methods),
        ("electrodes", " ".join(profile.channels)),
        ("model", f"{profile.model} ({profile.model_sha256[:12]})"),
        ("file", str(store.path_of(user))),
        ("earlier", ", ".join(path.name for path in store.aside(user)) or "none kept"),
    ):
        table.add_row(label, Text(text))
    Console().print(table)


@app.command()
def delete(user: User) -> None:
    """Delete a profile, and the earlier ones that were kept."""
    from emod_rt.calibration import store

    for path in store.delete(user):
        typer.echo(f"Deleted {path}.")


@app.command()
def export(
    user: User, file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file (JSON).")]
) -> None:
    """Write a profile to a file of your choice."""
    from emod_rt.calibration import store

    store.export(user, file)
    typer.echo(f"Wrote the profile of {user} to {file}: numbers and ratings, no EEG.")


def _about(profile: "Profile") -> dict[str, Any]:
    from emod_rt.calibration.store import path_of
    from emod_rt.calibration.verdict import AXES

    return {
        "user": profile.user,
        "created": profile.created,
        "trials": len(profile.ratings),
        "verdicts": {axis: verdict.word for axis, verdict in zip(AXES, profile.verdicts, strict=True)},
        "channels": list(profile.channels),
        "model": profile.model,
        "model_sha256": profile.model_sha256,
        "simulated": profile.simulated,
        "file": str(path_of(profile.user)),
    }
