"""`emod-rt doctor`: is this machine fit for it."""

from typing import Annotated

import typer

_COLOUR = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Check this machine: libraries, network, ports, folders, model, screen. Exit code 1 when one fails."""
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from emod_rt.doctor import examine

    checks = examine()
    healthy = all(check.state != "fail" for check in checks)
    if as_json:
        typer.echo(json.dumps({"healthy": healthy, "checks": [asdict(check) for check in checks]}))
    else:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for check in checks:
            mend = f"\n[dim]-> {check.mend}[/]" if check.mend else ""
            table.add_row(
                check.name,
                f"[{_COLOUR[check.state]}]{check.state}[/]",
                check.found.replace("[", r"\[") + mend,
            )
        Console(highlight=False).print(table)
    if not healthy:
        raise typer.Exit(1)
