"""Which windows there are: who, when, on what, and which class."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

Names = npt.NDArray[np.str_]
Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class WindowTable:
    """One row a window, in file order.

    Attributes
    ----------
    subject, session, trial : numpy.ndarray of str, shape (windows,)
        A trial is named within its person and session.
    stimulus : numpy.ndarray of str, shape (windows,)
        The same word for everyone who was shown it; "" where that is not known or says the class outright.
    label : numpy.ndarray of int, shape (windows,)
        Place in `classes`; -1 where there is none.
    start_s : numpy.ndarray, shape (windows,)
        Beginning of the window within its trial, s.
    baseline : numpy.ndarray of bool, shape (windows,)
        The person's own rest that causal centring uses and that is not scored then.
    classes : tuple of str
        Names of the labels.

    Raises
    ------
    ValueError
        Columns of unequal length, or a label outside the classes.
    """

    subject: Names
    session: Names
    trial: Names
    stimulus: Names
    label: npt.NDArray[np.intp]
    start_s: Array
    baseline: npt.NDArray[np.bool_]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        lengths = {len(column) for column in self._columns()}
        if len(lengths) > 1:
            raise ValueError(f"the columns of a table have {sorted(lengths)} rows; give all the same")
        if len(self.label) and not -1 <= self.label.min() <= self.label.max() < len(self.classes):
            raise ValueError(f"a label is not one of the {len(self.classes)} classes")

    def _columns(self) -> tuple[npt.NDArray[np.generic], ...]:
        names = (self.subject, self.session, self.trial, self.stimulus)
        return (*names, self.label, self.start_s, self.baseline)

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.label)

    def __getitem__(self, rows: Rows | npt.NDArray[np.bool_]) -> Self:
        """Return some of the windows."""
        return type(self)(
            self.subject[rows],
            self.session[rows],
            self.trial[rows],
            self.stimulus[rows],
            self.label[rows],
            self.start_s[rows],
            self.baseline[rows],
            self.classes,
        )

    @property
    def binary(self) -> bool:
        """Whether one score says all there is: how much it is the second of two classes."""
        return len(self.classes) == 2

    @property
    def people(self) -> tuple[str, ...]:
        """Everyone, in the order of the file."""
        return tuple(dict.fromkeys(self.subject.tolist()))

    def trials(self) -> tuple[Self, Rows]:
        """Return one row for each trial, and the trial of each window.

        Returns
        -------
        WindowTable
            First window of every trial, in file order, with the class of the trial.
        numpy.ndarray of int, shape (windows,)
            Which row of it a window belongs to.
        """
        places: dict[tuple[str, str, str], int] = {}
        first: list[int] = []
        of = np.zeros(len(self), dtype=np.intp)
        keys = zip(self.subject.tolist(), self.session.tolist(), self.trial.tolist(), strict=True)
        for row, key in enumerate(keys):
            if key not in places:
                places[key] = len(first)
                first.append(row)
            of[row] = places[key]
        trials = self[np.array(first, dtype=np.intp)]
        # a trial that begins with rest has its class in later windows
        label = np.full(len(first), -1, dtype=np.intp)
        np.maximum.at(label, of, self.label)
        return replace(trials, label=label), of


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Return a key that sorts names by the numbers in them: "2" before "10"."""
    pieces: list[tuple[int, int | str]] = []
    digits = ""
    for letter in f"{name}\0":
        if letter.isdigit():
            digits += letter
            continue
        if digits:
            pieces.append((0, int(digits)))
            digits = ""
        pieces.append((1, letter))
    return tuple(pieces)
