"""`emod-rt export`: a checkpoint for other programs."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Checkpoint (.safetensors).")],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="NAME.pt or NAME.torchscript for TorchScript, or NAME.onnx.")
    ],
) -> None:
    """Write a checkpoint as TorchScript or ONNX, checked against it, its card inside."""
    from rich.console import Console
    from rich.text import Text

    from emod_model.checkpoint import load_checkpoint
    from emod_model.export import export as write

    done = write(load_checkpoint(model), out)
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        Text(
            f"{done.path}: {done.format} with {', '.join(done.outputs)}; differs from {model} by "
            f"{done.difference:.1e} at most, over {done.checks} montages and lengths."
        )
    )
