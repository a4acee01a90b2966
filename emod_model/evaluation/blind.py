"""Predictors that see no EEG: what a figure has to beat before it says anything of the brain."""

from collections.abc import Iterable

import numpy as np

from emod_model.evaluation.figures import Judged
from emod_model.evaluation.linear import Kind, scored
from emod_model.evaluation.protocols import Split
from emod_model.evaluation.table import Array, Names, Rows, WindowTable

MAJORITY, PERSON, STIMULUS = "majority", "person mean", "stimulus mean"


def guess(table: WindowTable, splits: Iterable[Split], kind: Kind) -> dict[str, list[Judged]]:
    """Judge the predictors without EEG on the windows that count under a kind of centring.

    Parameters
    ----------
    table : WindowTable
    splits : iterable of Split
    kind : {"none", "causal", "transductive"}

    Returns
    -------
    dict
        "majority": the commonest class learnt from, of two the first where nothing is learnt from;
        "person mean" and "stimulus mean": how often the person, or everyone at that stimulus, had each class
        in what is learnt from; absent where no fold has met the person or stimulus before.
    """
    counts = scored(table, kind)
    result: dict[str, list[Judged]] = {MAJORITY: []}
    for split in splits:
        train, test = split.train[counts[split.train]], split.test[counts[split.test]]
        if not len(test):
            continue
        shares = _shares(table, train)
        everyone = np.tile(shares, (len(test), 1))
        result[MAJORITY].append(_judge(table, test, everyone))
        for name, column in ((PERSON, table.subject), (STIMULUS, table.stimulus)):
            known = set(column[train].tolist()) & set(column[test].tolist()) - {""}
            if known:
                score = _by_group(table, column, train, test, everyone, known)
                result.setdefault(name, []).append(_judge(table, test, score))
    return result


def _shares(table: WindowTable, rows: Rows) -> Array:
    counts = np.bincount(table.label[rows], minlength=len(table.classes)).astype(float)
    shares: Array = counts / max(counts.sum(), 1.0)
    return shares


def _by_group(
    table: WindowTable, column: Names, train: Rows, test: Rows, everyone: Array, known: set[str]
) -> Array:
    score = everyone.copy()
    for group in known:
        score[column[test] == group] = _shares(table, train[column[train] == group])
    return score


def _judge(table: WindowTable, test: Rows, score: Array) -> Judged:
    return Judged(table.subject[test], table.label[test], score.argmax(1).astype(np.intp), score)
