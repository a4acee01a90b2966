"""The evidence on EEGMAT and the weights that come of it: folds of people, the published split, a card."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from emod_model.centring import Centring, Kind
from emod_model.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from emod_model.evaluation.figures import Judged, by_person, join, summary, two_classes
from emod_model.metrics import ccc
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.training.real_fit import AROUSED, REAL, Answers, Recipe, ask, fit
from emod_model.training.real_people import (
    JUDGED_CAPS,
    Person,
    Seen,
    real_people,
    see,
    simulated_people,
    training_caps,
)

Tell = Callable[[str], None]
FOLDS = 8
TRAIN, VALIDATION = range(28), range(28, 32)
"""The published split, but for the four test people, who are kept elsewhere."""
SEEDS = (1, 2, 3, 4, 5)
SOURCE = (
    "EEGMAT (Zyma et al. 2019, PhysioNet eegmat 1.0.0, Open Data Commons Attribution License 1.0, of which "
    "these weights are a produced work)"
)


@dataclass(frozen=True)
class RealStudy:
    """What is learnt from whom.

    Attributes
    ----------
    raw : pathlib.Path
        EEGMAT's folder.
    spec : SignalSpec
        Two time tokens a second: log power of a second's frame says little more five times a second.
    config : EMODConfig
    recipe : Recipe
    simulated, judged_simulated : int
        People who teach valence, and others on whom it is held.
    """

    raw: Path
    spec: SignalSpec = field(default_factory=lambda: SignalSpec(tokens_per_s=2))
    config: EMODConfig = REAL
    recipe: Recipe = field(default_factory=Recipe)
    simulated: int = 60
    judged_simulated: int = 20


@dataclass(frozen=True, eq=False)
class Variant:
    """One row of the evidence.

    Attributes
    ----------
    title : str
    kind : Kind
        Of the baseline.
    centring : Centring
        Where it is taken off.
    start : EMOD or None
        Weights to start from.
    """

    title: str
    kind: Kind = "causal"
    centring: Centring = field(default_factory=Centring)
    start: EMOD | None = None


def variants() -> dict[str, Variant]:
    """Return what is compared, by a short name."""
    return {
        "causal": Variant("EMOD from scratch, cross-power"),
        "transductive": Variant("EMOD from scratch, cross-power", "transductive"),
        "none": Variant("EMOD from scratch", "none"),
        "power": Variant("EMOD from scratch, log power", "causal", Centring(place="power")),
        "signal": Variant("EMOD from scratch, signal", "causal", Centring(place="signal")),
    }


def look(people: Sequence[Person], variant: Variant, spec: SignalSpec) -> list[Seen]:
    """Return everyone through each of the training caps."""
    return [see(people, cap, variant.kind, variant.centring, spec) for cap in training_caps()]


def judged(answers: Answers, names: Sequence[str]) -> Judged:
    """Return arousal above 0 as arithmetic."""
    subject = np.array([names[who] for who in answers.who])
    return two_classes(subject, answers.target.astype(np.intp), answers.mean[:, 1], 0.0)


def cross_validate(
    study: RealStudy,
    people: Sequence[Person],
    variant: Variant,
    seeds: Sequence[int] = (1,),
    tell: Tell = lambda _: None,
) -> dict[str, dict[int, Judged]]:
    """Learn from 28 people and judge the other four, eight times over; every person is judged once.

    Returns
    -------
    dict
        cap -> seed -> what was said of everyone; the seed 0 is the mean answer of all seeds.
    """
    seen = look(people, variant, study.spec)
    names = [person.name for person in people]
    found: dict[str, dict[int, list[Judged]]] = {
        cap: {seed: [] for seed in (0, *seeds)} for cap in JUDGED_CAPS
    }
    for fold in range(FOLDS):
        out = range(fold, len(people), FOLDS)
        rest = [at for at in range(len(people)) if at not in out]
        networks = [fit(seen, rest, study.config, study.recipe, seed, start=variant.start) for seed in seeds]
        for cap, one in zip(JUDGED_CAPS, seen, strict=False):
            answers = [ask(network, one, list(out)) for network in networks]
            for seed, said in zip(seeds, answers, strict=True):
                found[cap][seed].append(judged(said, names))
            mean = np.mean([said.mean for said in answers], axis=0)
            together = Answers(answers[0].who, answers[0].target, mean, answers[0].sd)
            found[cap][0].append(judged(together, names))
        tell(f"{variant.title}, {variant.kind}: fold {fold + 1} of {FOLDS}")
    return {cap: {seed: join(parts) for seed, parts in rows.items()} for cap, rows in found.items()}


def row(title: str, what: Judged) -> str:
    """Return one line of a table: mean over people with its deviation and interval, pooled AUROC."""
    people = by_person(what)
    told = summary(what, people)
    accuracy, area = told["balanced_accuracy"], told["auroc"]
    low, high = accuracy["mean_interval"]  # type: ignore[misc]
    own = np.mean([person["auroc"] for person in people.values()])
    return (
        f"| {title} | {accuracy['mean']:.3f} ({accuracy['sd']:.3f}) | {low:.3f} to {high:.3f} "
        f"| {area['pooled']:.3f} | {own:.3f} |"
    )


HEAD = (
    "| cap, seed | balanced accuracy over people (sd) | 95 % over people | AUROC pooled | within a person |\n"
    "| --- | --- | --- | --- | --- |"
)


def table(found: dict[str, dict[int, Judged]]) -> str:
    """Return the figures of each cap and seed as Markdown."""
    rows = [
        row(f"{cap}, {f'seed {seed}' if seed else 'mean of the seeds'}", what)
        for cap, by_seed in found.items()
        for seed, what in by_seed.items()
        if seed or len(by_seed) > 2
    ]
    return "\n".join([HEAD, *rows])


@dataclass(frozen=True, eq=False)
class Candidate:
    """One seed's network and what it is worth on validation people."""

    seed: int
    network: EMOD
    validation: dict[str, Judged]
    valence: float

    @property
    def score(self) -> float:
        """Mean balanced accuracy over validation people and caps, by which one is chosen."""
        people = [person for what in self.validation.values() for person in by_person(what).values()]
        return float(np.mean([person["balanced_accuracy"] for person in people]))


def candidates(
    study: RealStudy, people: Sequence[Person], start: EMOD | None = None, tell: Tell = lambda _: None
) -> list[Candidate]:
    """Fit the published split's training people with five seeds, with simulated people for valence."""
    names = [person.name for person in people]
    variant = Variant("default")
    real = look(people, variant, study.spec)
    tell("simulated people")
    taught = look(simulated_people(0, study.simulated, study.spec), variant, study.spec)
    unmet = simulated_people(study.simulated, study.judged_simulated, study.spec)
    held = see(unmet, JUDGED_CAPS["19"], variant.kind, variant.centring, study.spec)
    result = []
    for seed in SEEDS:
        network = fit(real, list(TRAIN), study.config, study.recipe, seed, taught, start)
        said = {cap: ask(network, one, list(VALIDATION)) for cap, one in zip(JUDGED_CAPS, real, strict=False)}
        felt = ask(network, held, range(study.judged_simulated))
        widen(network, list(said.values()), felt)
        worth = {cap: judged(one, names) for cap, one in said.items()}
        result.append(Candidate(seed, network, worth, ccc(felt.mean[:, 0], felt.target)))
        tell(f"seed {seed}: {result[-1].score:.3f}")
    return result


def widen(network: EMOD, real: Sequence[Answers], felt: Answers) -> None:
    """Shift the last bias of both deviations until 68.27 % of the truths lie within one of them."""
    last = network.affect.mlp[-1]
    assert isinstance(last, nn.Linear)
    mean = np.concatenate([said.mean[:, 1] for said in real])
    truth = np.concatenate([AROUSED * (2 * said.target - 1) for said in real])
    pairs = (
        (np.abs(felt.mean[:, 0] - felt.target), felt.sd[:, 0]),
        (np.abs(mean - truth), np.concatenate([said.sd[:, 1] for said in real])),
    )
    for axis, (error, sd) in enumerate(pairs):
        raw = np.log(np.expm1(np.maximum(sd - network.affect.sd_floor, 1e-6)))
        low, high = -5.0, 5.0
        for _ in range(40):
            shift = (low + high) / 2
            inside = (error <= np.log1p(np.exp(raw + shift)) + network.affect.sd_floor).mean()
            low, high = (shift, high) if inside < 0.6827 else (low, shift)
        with torch.no_grad():
            last.bias[2 + axis] += (low + high) / 2


def write(study: RealStudy, chosen: Candidate, path: Path) -> None:
    """Write the chosen network with its card."""
    figures: dict[str, float] = {"valence simulated 19/ccc": chosen.valence}
    told = []
    for cap, what in chosen.validation.items():
        worth = summary(what, by_person(what))
        accuracy, area = worth["balanced_accuracy"]["mean"], worth["auroc"]["pooled"]
        assert isinstance(accuracy, float)
        assert isinstance(area, float)
        figures |= {f"{cap}/balanced accuracy": accuracy, f"{cap}/AUROC": area}
        told.append(f"{accuracy:.2f} / {area:.2f} on {cap}")
    info = CheckpointInfo(
        name="eegmat",
        network=study.config,
        signal=study.spec,
        training_data=(
            f"rest and mental arithmetic of {len(TRAIN)} people for arousal, {SOURCE}, which it tells apart "
            f"in {len(VALIDATION)} others, by whom it was chosen, with balanced accuracy / AUROC "
            f"{'; '.join(told)} electrodes once a minute of their rest is taken off; valence from "
            "simulated people alone"
        ),
        licence="BSD-3-Clause; data ODC-By 1.0",
        figures=figures,
        simulated=False,
        centring=Variant("default").centring,
        unvalidated=("valence",),
    )
    save_checkpoint(path, chosen.network, info)


def best(found: Sequence[Candidate]) -> Candidate:
    """Return the one that is best on validation people."""
    return max(found, key=lambda one: one.score)


def pretrained(path: Path) -> tuple[EMODConfig, EMOD]:
    """Return a checkpoint's architecture and weights to start from."""
    model = load_checkpoint(path)
    return model.info.network, model.network


def read(study: RealStudy, tell: Tell = lambda _: None) -> list[Person]:
    """Read EEGMAT's people."""
    tell("reading EEGMAT")
    return real_people(study.raw, study.spec)
