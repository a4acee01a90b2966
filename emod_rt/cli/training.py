"""What `pretrain` and `finetune` share: one settings file, a bar, and an end that can be gone on from."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from emod_rt.cli.common import ending

if TYPE_CHECKING:
    from emod_model.fitting.loop import Watch

Settings = Annotated[
    Path, typer.Argument(metavar="CONFIG.toml", help="The settings; docs/training.md tells them all.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from where the run was stopped.")]


class Run(Protocol):
    """A run of pretraining or fine-tuning, its settings filled in."""

    def __call__(self, *, resume: bool, watch: "Watch") -> Path:
        """Run, and return the checkpoint."""


def carry_out(command: str, config: Path, run: Run, resume: bool) -> None:
    """Run until it is done or a signal asks for its end, and say what came of it."""
    from rich.console import Console
    from rich.text import Text

    from emod_model.fitting.loop import Interrupted, Watch

    err = Console(stderr=True, highlight=False, soft_wrap=True)
    # torchrun starts several of us: one speaks
    first = os.environ.get("RANK", "0") == "0"
    asked: list[bool] = []

    def say(line: str) -> None:
        if first:
            err.print(Text(line))

    with ending(lambda: asked.append(True)):
        try:
            path = run(resume=resume, watch=Watch(lambda: bool(asked), say, first and err.is_terminal))
        except Interrupted:
            say(f"stopped, and its state kept; go on with: emod-rt {command} {config} --resume")
            return
    if first:
        typer.echo(str(path))
