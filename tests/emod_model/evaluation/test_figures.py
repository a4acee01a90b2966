import numpy as np
import pytest
from sklearn import metrics

from emod_model.evaluation.figures import (
    MEASURES,
    Judged,
    _bootstrap,
    by_person,
    confusion,
    join,
    pooled,
    summary,
    two_classes,
)


def judged(n_classes: int = 3, seed: int = 0) -> Judged:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, 120)
    # rounded, so that scores tie
    score = np.round(rng.normal(size=(120, n_classes)) + 1.0 * np.eye(n_classes)[truth], 1)
    return Judged(np.repeat([f"p{k}" for k in range(6)], 20), truth, score.argmax(1), score)


def test_figures_are_those_of_scikit_learn():
    told = judged()
    have = pooled(told)
    assert have["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(told.truth, told.said))
    assert have["kappa"] == pytest.approx(metrics.cohen_kappa_score(told.truth, told.said))
    assert have["weighted_f1"] == pytest.approx(metrics.f1_score(told.truth, told.said, average="weighted"))
    areas = [metrics.roc_auc_score(told.truth == k, told.score[:, k]) for k in range(3)]
    assert have["auroc"] == pytest.approx(np.mean(areas))
    np.testing.assert_array_equal(confusion(told), metrics.confusion_matrix(told.truth, told.said))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_bootstrap_gives_what_people_drawn_one_by_one_would_give(n_classes):
    told = judged(n_classes)
    people = np.unique(told.subject)
    counts = np.random.default_rng(5).multinomial(6, np.full(6, 1 / 6), size=4)
    fast = _bootstrap(told, 4, 5)
    for draw, count in enumerate(counts):
        drawn = [
            told[told.subject == person] for person, n in zip(people, count, strict=True) for _ in range(n)
        ]
        slow = pooled(join(drawn))
        for measure in MEASURES:
            assert fast[measure][draw] == pytest.approx(slow[measure]), measure


def test_a_figure_comes_with_its_interval_and_its_spread_over_people():
    told = judged(2)
    figures = summary(told, by_person(told), draws=200)
    each = [person["balanced_accuracy"] for person in by_person(told).values()]
    balanced = figures["balanced_accuracy"]
    assert balanced["mean"] == pytest.approx(np.mean(each))
    assert balanced["sd"] == pytest.approx(np.std(each))
    low, high = balanced["interval"]
    assert low < balanced["pooled"] < high


def test_where_there_is_one_class_only_there_is_no_figure():
    told = two_classes(np.array(["a", "a"]), np.array([1, 1]), np.array([0.2, 0.7]), 0.5)
    assert all(np.isnan(value) for value in pooled(told).values())
    assert np.isnan(summary(told, by_person(told), draws=10)["auroc"]["interval"]).all()
    assert told.said.tolist() == [0, 1]
