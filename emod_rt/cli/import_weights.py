"""`emod-rt import-weights`: released EMOD weights as one of our checkpoints."""

from pathlib import Path
from typing import Annotated

import typer


def import_weights(
    source: Annotated[
        Path, typer.Argument(metavar="SRC.pt", help="A PyTorch state dict in the released layout.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="The checkpoint to write.")],
) -> None:
    """Read released EMOD weights, every key accounted for, and write a checkpoint."""
    from rich.console import Console
    from rich.text import Text

    from emod_model.checkpoint import load_checkpoint
    from emod_model.importing import import_weights as read_and_write

    done = read_and_write(source, out)
    model = load_checkpoint(out)
    network = model.info.network
    err = Console(stderr=True, highlight=False, soft_wrap=True)
    if done.beside:
        err.print(
            Text(f"  note: left out, as no part of the network: {', '.join(done.beside)}", style="yellow")
        )
    err.print(
        Text(
            f"{out}: {done.tensors} tensors, none left over, head named as in the {done.naming} layout; "
            f"{network.n_layers} layers, {network.d_model} features a token. {model.card}"
        )
    )
