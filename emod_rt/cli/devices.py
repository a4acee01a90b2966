"""`emod-rt devices`: what could be a source."""

from typing import Annotated

import typer

from emod_rt.checks import positive


def devices(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    wait: Annotated[
        float, typer.Option("--wait", metavar="S", help="How long to listen for streams, s.")
    ] = 1.0,
) -> None:
    """List the LSL streams on the network and the headsets that BrainFlow supports."""
    positive("--wait", wait)
    import json

    from rich.console import Console
    from rich.table import Table

    from emod_rt.devices import brainflow_boards, lsl_streams
    from emod_rt.sources.lsl_query import shown

    streams, boards = lsl_streams(wait), brainflow_boards()
    if as_json:
        typer.echo(json.dumps({"lsl": streams, "brainflow": boards}))
        return
    # a stream may call itself anything, also what looks like markup
    out = Console(highlight=False, markup=False)
    if streams:
        table = Table("name", "type", "channels", "rate", "source_id", "host", box=None, title="LSL streams")
        for stream in streams:
            rate = f"{stream['rate']:g} Hz" if stream["rate"] > 0 else "irregular"
            table.add_row(
                shown(stream["name"]),
                shown(stream["type"]),
                str(stream["channels"]),
                rate,
                shown(stream["source_id"]),
                shown(stream["host"]),
            )
        out.print(table)
    else:
        out.print("No LSL stream on the network.")
    table = Table("board", "rate", "channels", "electrodes", box=None, title="BrainFlow boards")
    for board in boards:
        names = " ".join(board["electrodes"]) or "name them with --channels"
        table.add_row(board["board"], f"{board['rate']:g} Hz", str(board["channels"]), names)
    out.print(table)
    out.print("Use them as --source lsl:NAME or --source brainflow:BOARD?serial_port=...")
