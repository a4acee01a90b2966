import numpy as np
import pytest

from emod_model.errors import UsageError
from emod_model.evaluation.protocols import PROTOCOLS, choose_from_train, splits
from emod_model.evaluation.table import WindowTable, natural


def windows(people: list[str], sessions: int = 1, trials: int = 2, per_trial: int = 3) -> WindowTable:
    """Return a table in which the windows of all trials lie mixed, so that order cannot save a protocol."""
    rows = [
        (person, str(session + 1), str(trial), at)
        for at in range(per_trial)
        for person in people
        for session in range(sessions)
        for trial in range(trials)
    ]
    subject, session, trial, at = (np.array(column) for column in zip(*rows, strict=True))
    return WindowTable(
        subject=subject,
        session=session,
        trial=trial,
        stimulus=np.char.add("film ", trial),
        label=(trial.astype(int) % 2).astype(np.intp),
        start_s=at.astype(float),
        baseline=np.zeros(len(rows), dtype=bool),
        classes=("calm", "stirred"),
    )


EEGMAT = [f"Subject{number:02d}" for number in range(36)]
TABLES = {
    "eegmat": windows(EEGMAT),
    "faced": windows([f"sub{number:03d}" for number in range(123)]),
    "seed": windows([str(n) for n in range(3)], sessions=3, trials=15),
    "seed-v": windows([str(n) for n in range(3)], sessions=3, trials=15),
    "leave-one-person-out": windows(["a", "b", "c"]),
    "people-8": windows([str(n) for n in range(32)]),
    "leave-trial-out": windows(["a", "b"], trials=4),
    "crossed": windows([str(n) for n in range(7)], trials=6),
}


def trials_of(table, rows):
    return set(zip(table.subject[rows], table.session[rows], table.trial[rows], strict=True))


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_no_trial_is_on_both_sides_of_any_protocol(name):
    table = TABLES[name]
    for split in splits(name, table):
        parts = [trials_of(table, rows) for rows in (split.train, split.validate, split.test)]
        assert len(parts[0] | parts[1] | parts[2]) == sum(len(part) for part in parts)
        assert len(split.train)
        assert len(split.test)


@pytest.mark.parametrize("name", sorted(name for name, protocol in PROTOCOLS.items() if protocol.people))
def test_no_person_is_on_both_sides_where_people_are_held_out(name):
    table = TABLES[name]
    for split in splits(name, table):
        learnt, chosen, judged = (
            set(table.subject[rows]) for rows in (split.train, split.validate, split.test)
        )
        assert not learnt & judged
        assert not chosen & judged
        assert not learnt & chosen


def test_eegmat_is_parted_by_the_number_in_the_name_whoever_is_absent():
    (whole,) = splits("eegmat", TABLES["eegmat"])
    assert [
        len(set(TABLES["eegmat"].subject[rows])) for rows in (whole.train, whole.validate, whole.test)
    ] == [
        28,
        4,
        4,
    ]
    few = windows(EEGMAT[32:])
    (split,) = splits("eegmat", few)
    assert len(split.train) == len(split.validate) == 0
    assert set(few.subject[split.test]) == set(EEGMAT[32:])


def test_faced_learns_from_80_people_chooses_on_20_and_judges_23():
    table = TABLES["faced"]
    (split,) = splits("faced", table)
    people = [list(dict.fromkeys(table.subject[rows])) for rows in (split.train, split.validate, split.test)]
    assert [len(part) for part in people] == [80, 20, 23]
    assert people[0][0] == "sub000"
    assert people[2][-1] == "sub122"


def test_seed_goes_by_session_and_seed_v_by_thirds_of_the_trials():
    table = TABLES["seed"]
    (split,) = splits("seed", table)
    assert [set(table.session[rows]) for rows in (split.train, split.validate, split.test)] == [
        {"1"},
        {"2"},
        {"3"},
    ]
    (split,) = splits("seed-v", table)
    for rows, numbers in zip(
        (split.train, split.validate, split.test), ((0, 5), (5, 10), (10, 15)), strict=True
    ):
        assert set(table.trial[rows]) == {str(number) for number in range(*numbers)}
        assert set(table.session[rows]) == {"1", "2", "3"}


def test_every_window_is_judged_once_where_each_takes_a_turn():
    for name in ("leave-one-person-out", "people-8", "leave-trial-out", "crossed"):
        judged = np.concatenate([split.test for split in splits(name, TABLES[name])])
        assert sorted(judged) == list(range(len(TABLES[name])))


def test_the_crossed_protocol_judges_people_and_stimuli_that_were_never_learnt_from():
    table = TABLES["crossed"]
    for split in splits("crossed", table):
        assert not set(table.subject[split.train]) & set(table.subject[split.test])
        assert not set(table.stimulus[split.train]) & set(table.stimulus[split.test])


def test_leaving_a_trial_out_learns_from_the_same_person_alone():
    table = TABLES["leave-trial-out"]
    for split in splits("leave-trial-out", table):
        assert set(table.subject[split.train]) == set(table.subject[split.test])


def test_people_to_choose_on_are_taken_whole_from_those_learnt_from():
    table = TABLES["people-8"]
    seen = set()
    for split in splits("people-8", table):
        chosen = choose_from_train(split, table, 4)
        parts = [set(table.subject[rows]) for rows in (chosen.train, chosen.validate, chosen.test)]
        assert [len(part) for part in parts] == [24, 4, 4]
        assert not parts[0] & parts[1]
        assert not parts[1] & parts[2]
        seen |= parts[1]
    assert len(seen) == 32
    (published,) = splits("eegmat", TABLES["eegmat"])
    assert choose_from_train(published, TABLES["eegmat"], 4) is published


@pytest.mark.parametrize(
    ("name", "table", "words"),
    [
        ("leave-one-out", TABLES["seed"], "leave-one-person-out"),
        ("eegmat", windows(["anna", "bert"]), "anna"),
        ("faced", windows(["a", "b"]), "2 people are too few"),
        ("seed", windows(["a"], sessions=2), "3 sessions, not 2"),
        ("seed-v", windows(["a"], trials=4), "4 trials"),
        ("people-8", windows(["a"]), "1 people"),
        ("leave-one-person-out", windows(["a"]), "1 person"),
        ("leave-trial-out", windows(["a"], trials=1), "a has 1 trial"),
        ("crossed", windows(["a", "b"]), "2 people and 2 stimuli"),
    ],
)
def test_a_table_that_a_protocol_cannot_part_is_refused_with_the_reason(name, table, words):
    with pytest.raises(UsageError, match=words):
        list(splits(name, table))


def test_names_sort_by_the_numbers_in_them():
    assert sorted(["10", "9", "s2_11", "s2_2"], key=natural) == ["9", "10", "s2_2", "s2_11"]
