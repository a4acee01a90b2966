"""`python -m emod_model.training`: make the shipped weights, centre them for calibration, judge them."""

import argparse
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

from emod_model.checkpoint import simulated_checkpoint
from emod_model.montage import CYTON
from emod_model.training.calibrated import judge_people
from emod_model.training.calibrated import table as calibrated_table
from emod_model.training.centred import add_head
from emod_model.training.report import table
from emod_model.training.study import Run, Study

_HEAD_PEOPLE = 40
_CALIBRATED_PEOPLE = 48


def main() -> None:
    """Train and evaluate, centre for calibration, or only evaluate; print the table of docs/results.md."""
    parser = argparse.ArgumentParser(
        prog="python -m emod_model.training",
        description="Train EMOD on simulated people, judge it on others, write weights and figures.",
    )
    parser.add_argument(
        "what", nargs="?", choices=("train", "centre", "evaluate", "calibrated"), default="train"
    )
    parser.add_argument(
        "--model", type=Path, default=simulated_checkpoint(), help="checkpoint (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="processes that simulate (default: %(default)s)"
    )
    arguments = parser.parse_args()
    # one thread sums in one order: the same weights on every machine of a kind, busy or not
    torch.set_num_threads(1)
    console = Console()
    if arguments.what == "centre":
        with Progress(console=console) as progress:
            add_head(arguments.model, _HEAD_PEOPLE, arguments.workers, progress)
        return
    if arguments.what == "calibrated":
        with Progress(console=console) as progress:
            task = progress.add_task("people calibrated", total=_CALIBRATED_PEOPLE)
            people = judge_people(
                _CALIBRATED_PEOPLE,
                CYTON,
                arguments.model,
                workers=arguments.workers,
                done=lambda: progress.advance(task),
            )
        print(calibrated_table(people))
        return
    run = Run(Study(workers=arguments.workers), console)
    scores = run.train(arguments.model) if arguments.what == "train" else run.evaluate(arguments.model)
    # plain print: the table is to be copied whole, not folded to the screen's width
    print(table(scores))


if __name__ == "__main__":
    main()
