"""The whole study in one place: who is simulated, how long, and what comes of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from emod_model.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from emod_model.montage import CYTON
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.training.batches import Windows
from emod_model.training.evaluate import Score, evaluate_cap
from emod_model.training.fit import SMALL, Recipe, fit, widen
from emod_model.training.montages import MUSE, TEN_TWENTY, WIDE
from emod_model.training.people import Life, Take, nine_clips, people_of, record_people
from emod_model.training.report import figures
from emod_model.training.ridge import fit_ridge

JUDGED = {"10-20, 19": TEN_TWENTY, "Cyton, 8": CYTON, "Muse, 4": MUSE}
"""Caps that validation and test people wear."""


@dataclass(frozen=True)
class Study:
    """Sizes of a study; the defaults are what the shipped weights come from.

    Attributes
    ----------
    train, validation, test : int
        People.
    train_s, validation_s, test_s : float
        Length of a person's recording, s.
    train_hop_s, validation_hop_s, test_hop_s : float
        Time between windows, s; the live path's own for test people.
    config : EMODConfig
        Architecture.
    recipe : Recipe
        How the network is fitted.
    workers : int
        Processes that simulate; changes nothing in the result.
    """

    train: int = 600
    train_s: float = 90.0
    train_hop_s: float = 2.0
    validation: int = 30
    validation_s: float = 120.0
    validation_hop_s: float = 4.0
    test: int = 40
    test_s: float = 180.0
    test_hop_s: float = 0.5
    config: EMODConfig = SMALL
    recipe: Recipe = field(default_factory=Recipe)
    workers: int = 2


class Run:
    """Carries a study out, telling a person how it goes.

    Parameters
    ----------
    study : Study
        What to do.
    console : rich.console.Console
        Where progress goes.
    """

    def __init__(self, study: Study, console: Console) -> None:
        self._study = study
        self._console = console
        self._spec = SignalSpec()

    def train(self, path: Path) -> list[Score]:
        """Simulate, fit, widen, judge; write the checkpoint with its figures and return the scores."""
        began = time.monotonic()
        train, validation = self._training_people(), self._judged_people("validation")
        network = self._fit(train, validation)
        widen(network, [take for takes in validation.values() for take in takes], self._spec)
        self._console.print(f"fitted after {(time.monotonic() - began) / 60:.1f} min")
        scores = self._judge(network, train, validation)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(path, network, _card(self._study, self._spec, scores))
        self._console.print(f"{path} written after {(time.monotonic() - began) / 60:.1f} min")
        return scores

    def evaluate(self, path: Path) -> list[Score]:
        """Judge a checkpoint on the test people, beside baselines fitted on the training people."""
        model = load_checkpoint(path)
        return self._judge(model.network, self._training_people(), self._judged_people("validation"))

    def _training_people(self) -> list[Take]:
        study = self._study
        return self._record(
            "training people",
            people_of("train", study.train),
            WIDE,
            study.train_s,
            study.train_hop_s,
            nine_clips,
        )

    def _judged_people(self, split: str) -> dict[str, list[Take]]:
        study = self._study
        n, seconds, hop_s = {
            "validation": (study.validation, study.validation_s, study.validation_hop_s),
            "test": (study.test, study.test_s, study.test_hop_s),
        }[split]
        return {
            name: self._record(f"{split} people, {name}", people_of(split, n), cap, seconds, hop_s)
            for name, cap in JUDGED.items()
        }

    def _record(
        self,
        what: str,
        seeds: range,
        cap: Sequence[str],
        seconds: float,
        hop_s: float,
        life: Life | None = None,
    ) -> list[Take]:
        with self._progress() as bar:
            task = bar.add_task(what, total=len(seeds), note="")
            return record_people(
                seeds,
                cap,
                seconds,
                self._spec,
                hop_s,
                life=life,
                workers=self._study.workers,
                done=lambda: bar.advance(task),
            )

    def _fit(self, train: Sequence[Take], validation: dict[str, list[Take]]) -> EMOD:
        people = [take for takes in validation.values() for take in takes]
        with self._progress() as bar:
            task = bar.add_task("fitting", total=self._study.recipe.steps, note="")

            def show(step: int, loss: float, best: float) -> None:
                bar.update(task, completed=step, note=f"loss {loss:.3f}, validation CCC {best:.3f}")

            network, _ = fit(Windows(train, self._spec), people, self._study.config, self._study.recipe, show)
        return network

    def _judge(self, network: EMOD, train: Sequence[Take], validation: dict[str, list[Take]]) -> list[Score]:
        scores: list[Score] = []
        for name, people in self._judged_people("test").items():
            ridge = fit_ridge(train, validation[name], JUDGED[name], self._spec)
            scores += evaluate_cap(name, network, ridge, people, self._spec, self._study.test_hop_s)
        return scores

    def _progress(self) -> Progress:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        return Progress(*columns, console=self._console)


def _card(study: Study, spec: SignalSpec, scores: Sequence[Score]) -> CheckpointInfo:
    hours = study.train * study.train_s / 3600
    return CheckpointInfo(
        name="simulated",
        network=study.config,
        signal=spec,
        training_data=(
            f"{study.train} simulated people ({hours:.1f} h of generated EEG, seed {study.recipe.seed}), "
            "no real person: see docs/simulated-person.md. The figures are those of simulated people too."
        ),
        licence="BSD-3-Clause",
        figures=figures(scores),
        simulated=True,
    )
