"""`emod-rt recover`: a whole file of a recording that was cut short."""

from pathlib import Path
from typing import Annotated

import typer


def recover(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The XDF recording; it stays as it is.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Repair a recording cut short: its whole chunks in a new file beside it."""
    import json

    from rich.console import Console
    from rich.text import Text

    from emod_rt.recording.recover import recover as recover_file

    found = recover_file(file)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "path": None if found.path is None else str(found.path),
                    "streams": [{"name": name, "samples": count} for name, count in found.samples],
                    "bytes_dropped": found.bytes_dropped,
                }
            )
        )
        return
    samples = ", ".join(f"{name} {count:,} samples" for name, count in found.samples)
    # Text, not str: names out of a file are never read as markup
    console = Console(highlight=False, soft_wrap=True)
    if found.path is None:
        console.print(Text(f"{file} is whole ({samples}); nothing was written."))
        return
    console.print(Text(f"{found.path}: {samples}."), style="green")
    if found.bytes_dropped:
        left_out = f"{found.bytes_dropped:,} bytes of {file} belong to no whole chunk and were left out."
        console.print(Text(left_out))
