"""Which windows are learnt from and which are judged, by the name of a protocol.

A protocol never sees a window. It gives a part to whole people or to whole trials, and the windows follow,
so that no trial, and where people are held out no person, can be on both sides.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.errors import UsageError
from emod_model.evaluation.table import Rows, WindowTable, natural

Parts = npt.NDArray[np.intp]

LEFT_OUT, TRAIN, VALIDATE, TEST = -1, 0, 1, 2
FOLDS = 8
"""Folds of people where leaving out one at a time is too dear."""
CROSSED = 3
"""Groups of people, and of stimuli, in the crossed protocol: nine folds."""
_FACED = (80, 20, 23)
_EEGMAT = (28, 32)


@dataclass(frozen=True, eq=False)
class Split:
    """One way of parting the windows.

    Attributes
    ----------
    name : str
        What is held out.
    train, validate, test : numpy.ndarray of int
        Rows of the table; any of them may be empty.
    """

    name: str
    train: Rows
    validate: Rows
    test: Rows


@dataclass(frozen=True)
class Protocol:
    """How a corpus is parted.

    Attributes
    ----------
    about : str
        What is learnt from and what is judged, one line.
    people : bool
        Whether the people judged are never learnt from.
    """

    about: str
    people: bool


def named(name: str) -> Protocol:
    """Return a protocol by its name.

    Raises
    ------
    UsageError
        There is none of that name; the sentence lists the names.
    """
    if name not in PROTOCOLS:
        raise UsageError(f"{name!r} is no protocol known here; name one of {', '.join(sorted(PROTOCOLS))}")
    return PROTOCOLS[name]


def splits(name: str, table: WindowTable) -> Iterator[Split]:
    """Part windows by a protocol.

    Parameters
    ----------
    name : str
        A key of `PROTOCOLS`.
    table : WindowTable
        Windows in file order.

    Yields
    ------
    Split
        One for each fold; every trial, and with `Protocol.people` every person, in one part at most.

    Raises
    ------
    UsageError
        No protocol of that name, or the table does not hold what the protocol parts by.
    """
    named(name)
    trials, of = table.trials()
    if name in _BY_PERSON:
        people = table.people
        which = np.array([people.index(subject) for subject in trials.subject.tolist()], dtype=np.intp)
        folds: Iterator[tuple[str, Parts]] = (
            (title, parts[which]) for title, parts in _BY_PERSON[name](people)
        )
    else:
        folds = _BY_TRIAL[name](trials)
    for title, parts in folds:
        of_window = parts[of]
        yield Split(title, *(np.flatnonzero(of_window == part) for part in (TRAIN, VALIDATE, TEST)))


def choose_from_train(split: Split, table: WindowTable, n_people: int) -> Split:
    """Return a split with validation people, taken from those it trains on where it has none.

    Parameters
    ----------
    split : Split
    table : WindowTable
    n_people : int
        How many; the ones that follow each of the people judged, so that every fold has others.

    Raises
    ------
    UsageError
        Too few people are trained on.
    """
    if len(split.validate):
        return split
    trained = set(table.subject[split.train].tolist())
    people = table.people
    judged = [at for at, person in enumerate(people) if person in set(table.subject[split.test].tolist())]
    # round by round the next one after each person judged, so that every fold chooses on others
    order = [people[(at + step) % len(people)] for step in range(len(people)) for at in judged or [0]]
    ring = [person for person in dict.fromkeys(order) if person in trained]
    if len(ring) < n_people + 1:
        raise UsageError(
            f"fold {split.name} trains on {len(ring)} people, too few to choose on {n_people} of them; "
            "give more people"
        )
    chosen = np.isin(table.subject[split.train], ring[:n_people])
    return Split(split.name, split.train[~chosen], split.train[chosen], split.test)


def _eegmat(people: tuple[str, ...]) -> Iterator[tuple[str, Parts]]:
    """Part by the number in the name, so that any of the people may be absent."""
    numbers = [int(found[1]) if (found := re.search(r"(\d+)$", person)) else -1 for person in people]
    if min(numbers) < 0:
        raise UsageError(f"{people[numbers.index(-1)]!r} is not named as in EEGMAT (Subject00 and so on)")
    yield "published", np.searchsorted(_EEGMAT, numbers, side="right").astype(np.intp)


def _faced(people: tuple[str, ...]) -> Iterator[tuple[str, Parts]]:
    """Part 80/20/23; fewer people in the same proportion."""
    ends = np.cumsum(_FACED) / sum(_FACED)
    edges = np.rint(ends * len(people)).astype(int)
    sizes = np.diff(edges, prepend=0)
    if min(sizes) < 1:
        raise UsageError(f"{len(people)} people are too few for the parts of faced; give at least 6")
    yield "published", np.repeat((TRAIN, VALIDATE, TEST), sizes).astype(np.intp)


def _one_person(people: tuple[str, ...]) -> Iterator[tuple[str, Parts]]:
    if len(people) < 2:
        raise UsageError(f"{len(people)} person is too few to leave one out; give at least 2")
    for at, person in enumerate(people):
        yield person, np.where(np.arange(len(people)) == at, TEST, TRAIN).astype(np.intp)


def _folds(people: tuple[str, ...]) -> Iterator[tuple[str, Parts]]:
    if len(people) < FOLDS:
        raise UsageError(f"{len(people)} people are too few for {FOLDS} folds; give at least {FOLDS}")
    groups = np.arange(len(people)) % FOLDS
    for fold in range(FOLDS):
        yield f"fold {fold + 1}", np.where(groups == fold, TEST, TRAIN).astype(np.intp)


def _sessions(trials: WindowTable) -> Iterator[tuple[str, Parts]]:
    """Learn from everyone's first session, choose on the second, judge the third."""
    names = sorted(set(trials.session.tolist()), key=natural)
    if len(names) != 3:
        raise UsageError(f"the protocol seed needs 3 sessions, not {len(names)} ({', '.join(names)})")
    yield "published", np.array([names.index(name) for name in trials.session.tolist()], dtype=np.intp)


def _thirds(trials: WindowTable) -> Iterator[tuple[str, Parts]]:
    """Part every session's trials into first, second and last third (of 15: 1-5, 6-10, 11-15)."""
    parts = np.full(len(trials), LEFT_OUT, dtype=np.intp)
    for session in dict.fromkeys(trials.session.tolist()):
        here = trials.session == session
        # by everyone's trials: a trial that one person lacks moves nobody else's
        names = sorted(set(trials.trial[here].tolist()), key=natural)
        if len(names) % 3:
            raise UsageError(f"session {session} has {len(names)} trials, which cannot be parted into thirds")
        place = np.array([names.index(name) for name in trials.trial[here].tolist()])
        parts[here] = place * 3 // len(names)
    yield "published", parts


def _own_trials(trials: WindowTable) -> Iterator[tuple[str, Parts]]:
    """Within each person: one trial judged, the others learnt from."""
    for person in trials.people:
        own = np.flatnonzero(trials.subject == person)
        if len(own) < 2:
            raise UsageError(f"{person} has {len(own)} trial; leaving one out needs at least 2")
        for at in own:
            parts = np.full(len(trials), LEFT_OUT, dtype=np.intp)
            parts[own] = TRAIN
            parts[at] = TEST
            yield f"{person} {trials.session[at]} {trials.trial[at]}", parts


def _crossed(trials: WindowTable) -> Iterator[tuple[str, Parts]]:
    """Judge unseen people on unseen stimuli; seen people's unseen stimuli, and the reverse, are left out."""
    people = trials.people
    label = dict(zip(trials.stimulus.tolist(), trials.label.tolist(), strict=True))
    # class by class, so that each group gets stimuli of each where there are enough
    stimuli = sorted(label, key=lambda name: (label[name], natural(name)))
    if "" in stimuli:
        raise UsageError("the crossed protocol needs the stimulus of every trial, which this corpus lacks")
    if len(people) < CROSSED or len(stimuli) < CROSSED:
        raise UsageError(
            f"{len(people)} people and {len(stimuli)} stimuli are too few to be crossed; "
            f"give at least {CROSSED} of each"
        )
    of_person = np.array([people.index(person) for person in trials.subject.tolist()]) % CROSSED
    of_stimulus = np.array([stimuli.index(name) for name in trials.stimulus.tolist()]) % CROSSED
    for group in range(CROSSED):
        for films in range(CROSSED):
            new_person, new_film = of_person == group, of_stimulus == films
            parts = np.where(new_person & new_film, TEST, np.where(new_person | new_film, LEFT_OUT, TRAIN))
            yield f"people {group + 1}, stimuli {films + 1}", parts.astype(np.intp)


PROTOCOLS: dict[str, Protocol] = {
    "eegmat": Protocol("people by name: 0-27 learnt from, 28-31 chosen on, 32-35 judged", True),
    "faced": Protocol("people in file order: 80 learnt from, 20 chosen on, 23 judged", True),
    "seed": Protocol("session 1 learnt from, 2 chosen on, 3 judged; the same people and clips", False),
    "seed-v": Protocol("of each session trials 1-5 learnt from, 6-10 chosen on, 11-15 judged", False),
    "leave-one-person-out": Protocol("everyone in turn judged, all others learnt from", True),
    "people-8": Protocol(f"{FOLDS} folds, each of every eighth person, in turn judged", True),
    "leave-trial-out": Protocol(
        "within each person every trial in turn judged, the others learnt from", False
    ),
    "crossed": Protocol("unseen people on unseen stimuli: 3 groups of people x 3 of stimuli", True),
}
"""What `splits` knows, by name."""

_BY_PERSON: dict[str, Callable[[tuple[str, ...]], Iterator[tuple[str, Parts]]]] = {
    "eegmat": _eegmat,
    "faced": _faced,
    "leave-one-person-out": _one_person,
    "people-8": _folds,
}
_BY_TRIAL: dict[str, Callable[[WindowTable], Iterator[tuple[str, Parts]]]] = {
    "seed": _sessions,
    "seed-v": _thirds,
    "leave-trial-out": _own_trials,
    "crossed": _crossed,
}
