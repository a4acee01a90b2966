"""`python -m emod_model.training.real`: weights and evidence from EEGMAT's rest and arithmetic."""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console

from emod_model.checkpoint import simulated_checkpoint
from emod_model.training.real_study import (
    HEAD,
    TRAIN,
    VALIDATION,
    RealStudy,
    best,
    candidates,
    cross_validate,
    eight_folds,
    pretrained,
    read,
    row,
    spread,
    table,
    variants,
    write,
)

_WEIGHTS = simulated_checkpoint().parent


def main() -> None:
    """Write the weights that validate best, or judge one variant in folds of people."""
    parser = argparse.ArgumentParser(
        prog="python -m emod_model.training.real",
        description="Learn arousal from real people at rest and in mental arithmetic.",
    )
    parser.add_argument("what", choices=("weights", *variants()))
    parser.add_argument("--data", type=Path, required=True, help="folder of EEGMAT's files")
    parser.add_argument("--out", type=Path, default=_WEIGHTS / "eegmat.safetensors", help="checkpoint")
    parser.add_argument("--seeds", type=int, default=1, help="networks a fold (default: %(default)s)")
    parser.add_argument("--pretrained", action="store_true", help="start from weights of simulated people")
    parser.add_argument("--wide", action="store_true", help="from scratch, but of the size of those weights")
    parser.add_argument(
        "--published", action="store_true", help="judge the published split's validation people, not folds"
    )
    arguments = parser.parse_args()
    # one thread sums in one order: the same weights on every machine of a kind, busy or not
    torch.set_num_threads(1)
    err = Console(stderr=True, highlight=False)
    study = RealStudy(arguments.data)

    def tell(what: str) -> None:
        err.print(f"{time.process_time():6.0f} s of CPU  {what}")

    people = read(study, tell)
    config, network = pretrained(_WEIGHTS / "simulated.safetensors")
    if arguments.pretrained or arguments.wide:
        study = replace(study, config=config)
    start = network if arguments.pretrained else None
    if arguments.what == "weights":
        found = candidates(study, people, start, tell)
        print(HEAD)
        for one in found:
            for cap, what in one.validation.items():
                print(row(f"{cap}, seed {one.seed}", what))
        chosen = best(found)
        print(f"\nseed {chosen.seed} chosen; valence of simulated people: CCC {chosen.valence:.3f}")
        write(study, chosen, arguments.out)
        return
    folds = [(TRAIN, VALIDATION)] if arguments.published else eight_folds(len(people))
    seeds = range(1, arguments.seeds + 1)
    said = cross_validate(study, people, variants()[arguments.what], folds, seeds, start, tell)
    print(table(said))
    print(spread(said))


if __name__ == "__main__":
    main()
