"""The evidence on EEGMAT and the weights that come of it: folds of people, the published split, a card."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emod_model.centring import Centring, Kind
from emod_model.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from emod_model.evaluation.figures import Judged, by_person, join, summary, two_classes
from emod_model.metrics import ccc
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.training.fit import widen_axis
from emod_model.training.real_fit import AROUSED, REAL, Answers, Recipe, ask, fit
from emod_model.training.real_people import (
    JUDGED_CAPS,
    Person,
    Seen,
    real_people,
    see,
    see_rest,
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
    embedding : bool
        It is taken off the backbone's tokens instead, and nothing off the windows.
    """

    title: str
    kind: Kind = "causal"
    centring: Centring = field(default_factory=Centring)
    embedding: bool = False


def variants() -> dict[str, Variant]:
    """Return what is compared, by a short name."""
    return {
        "causal": Variant("causal, cross-power"),
        "transductive": Variant("transductive, cross-power", "transductive"),
        "none": Variant("no centring", "none"),
        "power": Variant("causal, log power", "causal", Centring(place="power")),
        "signal": Variant("causal, gain of each channel", "causal", Centring(place="signal")),
        "embedding": Variant("causal, embedding", embedding=True),
    }


Fold = tuple[Sequence[int], Sequence[int]]
"""People learnt from, and people judged, by their place in the list."""


def eight_folds(n_people: int) -> list[Fold]:
    """Part people by every eighth: each is judged once."""
    judged = [range(fold, n_people, FOLDS) for fold in range(FOLDS)]
    return [([at for at in range(n_people) if at not in out], out) for out in judged]


def look(people: Sequence[Person], variant: Variant, spec: SignalSpec) -> list[Seen]:
    """Return everyone through each of the training caps."""
    kind: Kind = "none" if variant.embedding else variant.kind
    return [see(people, cap, kind, variant.centring, spec) for cap in training_caps()]


def judged(answers: Answers, names: Sequence[str]) -> Judged:
    """Return arousal above 0 as arithmetic."""
    subject = np.array([names[who] for who in answers.who])
    return two_classes(subject, answers.target.astype(np.intp), answers.mean[:, 1], 0.0)


def cross_validate(
    study: RealStudy,
    people: Sequence[Person],
    variant: Variant,
    folds: Sequence[Fold],
    seeds: Sequence[int] = (1,),
    start: EMOD | None = None,
    tell: Tell = lambda _: None,
) -> dict[str, dict[int, Judged]]:
    """Learn from some people and judge others, fold by fold.

    Returns
    -------
    dict
        cap -> seed -> what was said of everyone judged; the seed 0 is the mean answer of all seeds.
    """
    seen = look(people, variant, study.spec)
    rests = [see_rest(people, cap, study.spec) for cap in training_caps()] if variant.embedding else []
    names = [person.name for person in people]
    found: dict[str, dict[int, list[Judged]]] = {
        cap: {seed: [] for seed in (0, *seeds)} for cap in JUDGED_CAPS
    }
    for number, (learnt, out) in enumerate(folds):
        networks = [
            fit(seen, learnt, study.config, study.recipe, seed, start=start, rests=rests) for seed in seeds
        ]
        for at, (cap, one) in enumerate(zip(JUDGED_CAPS, seen, strict=False)):
            rest = rests[at] if rests else None
            answers = [ask(network, one, list(out), rest) for network in networks]
            for seed, said in zip(seeds, answers, strict=True):
                found[cap][seed].append(judged(said, names))
            mean = np.mean([said.mean for said in answers], axis=0)
            together = Answers(answers[0].who, answers[0].target, mean, answers[0].sd)
            found[cap][0].append(judged(together, names))
        tell(f"{variant.title}: fold {number + 1} of {len(folds)}")
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


def spread(found: dict[str, dict[int, Judged]]) -> str:
    """Return the mean over seeds of each cap's figures, with their deviation over seeds, as one JSON line."""
    told = {}
    for cap, by_seed in found.items():
        each = {seed: summary(what, by_person(what)) for seed, what in by_seed.items()}
        alone = [figures for seed, figures in each.items() if seed]
        told[cap] = {
            "balanced accuracy": _over([one["balanced_accuracy"]["mean"] for one in alone]),
            "AUROC": _over([one["auroc"]["pooled"] for one in alone]),
            "mean answer of the seeds": {
                "balanced accuracy": each[0]["balanced_accuracy"]["mean"],
                "AUROC": each[0]["auroc"]["pooled"],
            },
        }
    return json.dumps(told)


def _over(values: Sequence[object]) -> dict[str, float]:
    numbers = [value for value in values if isinstance(value, float)]
    return {
        "mean": float(np.mean(numbers)),
        "sd over seeds": float(np.std(numbers, ddof=1)) if len(numbers) > 1 else 0.0,
    }


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
    mean = np.concatenate([said.mean[:, 1] for said in real])
    truth = np.concatenate([AROUSED * (2 * said.target - 1) for said in real])
    widen_axis(network, 0, np.abs(felt.mean[:, 0] - felt.target), felt.sd[:, 0])
    widen_axis(network, 1, np.abs(mean - truth), np.concatenate([said.sd[:, 1] for said in real]))


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
