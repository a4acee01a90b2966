"""Vocabularies: the words, numbers and rating scales of a corpus, and where each lies.

Eleven come with the package, one TOML file each in `tables/`, with the source of every coordinate beside it.
A corpus of one's own is a file of the same form (see docs/training.md).
"""

from functools import cache, cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from emod_model.errors import UsageError
from emod_model.toml import read_toml

Origin = Literal["published", "ours", "user"]
"""Who placed it: EMOD's authors, this project, or whoever wrote the file."""

_TABLES = Path(__file__).with_name("tables")
# how people shorten the name
_SHORT = {"mahnob": "mahnob-hci", "mme": "mdme"}


class Ratings(BaseModel):
    """A rating scale; its middle is 0 and its ends are -1 and 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float = Field(allow_inf_nan=False, description="rating that becomes -1")
    high: float = Field(allow_inf_nan=False, description="rating that becomes 1")
    origin: Origin = "user"
    source: str = Field(min_length=1, description="where the projection comes from")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        return self

    def project(self, rating: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return ratings on [-1, 1]; fractions stay fractions.

        Parameters
        ----------
        rating : array_like
            On the corpus' own scale.

        Raises
        ------
        UsageError
            A rating off the scale, or none.
        """
        x = np.asarray(rating, dtype=np.float64)
        outside = ~((x >= self.low) & (x <= self.high))
        if outside.any():
            raise UsageError(
                f"a rating of {x[outside].flat[0]:g} is not on the scale of {self.low:g} to {self.high:g}; "
                "leave that trial out or mend its file"
            )
        return np.asarray((2 * x - (self.low + self.high)) / (self.high - self.low))


class Label(BaseModel):
    """One class of a corpus: its word, its numbers on disk, and where it lies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: str = Field(min_length=1)
    code: int | None = Field(None, description="its number on disk")
    codes: dict[str, int] = Field({}, description="its number in each system, where there are several")
    valence: float | None = Field(None, allow_inf_nan=False, description="in units of the corpus")
    arousal: float | None = Field(None, allow_inf_nan=False, description="in units of the corpus")
    origin: Origin = "user"
    source: str = Field("", description="where the coordinate comes from")
    nowhere: str = Field("", description="why it has no place in the plane")

    @model_validator(mode="after")
    def _placed(self) -> Self:
        placed = self.valence is not None and self.arousal is not None
        if placed == bool(self.nowhere) or (self.valence is None) != (self.arousal is None):
            raise ValueError(
                f"{self.word!r} needs both valence and arousal, or a sentence in nowhere that says why not"
            )
        if placed and not self.source:
            raise ValueError(f"{self.word!r} has a place without a source; say where it comes from")
        return self


class Vocabulary(BaseModel):
    """What a corpus calls its classes and how it rates them.

    Words are matched whatever their case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="of the corpus")
    unit: float = Field(1.0, gt=0, allow_inf_nan=False, description="the file's coordinate that becomes 1")
    ratings: Ratings | None = None
    classes: tuple[Label, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.classes and self.ratings is None:
            raise ValueError(f"{self.name} has neither ratings nor classes; give one of them")
        for label in self.classes:
            for axis in ("valence", "arousal"):
                value = getattr(label, axis)
                if value is not None and abs(value) > self.unit:
                    raise ValueError(
                        f"the {axis} {value:g} of {label.word!r} lies outside [-{self.unit:g}, {self.unit:g}]"
                    )
        words: list[object] = [label.word.casefold() for label in self.classes]
        numbers: list[object] = [item for label in self.classes for item in _numbers(label)]
        for what, given in (("word", words), ("number", numbers)):
            if twice := [item for item in given if given.count(item) > 1]:
                raise ValueError(f"the {what} {twice[0]!r} stands for two classes; each needs its own")
        return self

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every class that has a place in the plane, in the order of the file."""
        return tuple(label.word for label in self.classes if not label.nowhere)

    @cached_property
    def _by_word(self) -> dict[str, Label]:
        return {label.word.casefold(): label for label in self.classes}

    def label(self, word: str) -> Label:
        """Return a class by its word.

        Raises
        ------
        UsageError
            The corpus has no such class; the sentence lists its classes.
        """
        found = self._by_word.get(word.strip().casefold())
        if found is None:
            known = ", ".join(label.word for label in self.classes) or "ratings alone"
            raise UsageError(f"{word!r} is no class of {self.name}; it has {known}")
        return found

    def point(self, word: str) -> tuple[float, float]:
        """Return valence and arousal of a class, [-1, 1].

        Raises
        ------
        UsageError
            No such class, or one without a place in the plane; the sentence says why.
        """
        label = self.label(word)
        if label.valence is None or label.arousal is None:
            raise UsageError(f"{label.word!r} of {self.name} has no valence and arousal: {label.nowhere}")
        return label.valence / self.unit, label.arousal / self.unit

    def word(self, code: int, system: str | None = None) -> str:
        """Return the word of a class by its number on disk.

        Parameters
        ----------
        code : int
            The number.
        system : str, optional
            Whose numbers they are, for a corpus that several programs number differently.

        Raises
        ------
        UsageError
            An unknown number or system, or a number without its system where there are several.
        """
        wanted = (system or "", int(code))
        known = dict(item for label in self.classes for item in ((n, label.word) for n in _numbers(label)))
        if wanted in known:
            return known[wanted]
        systems = sorted({name for name, _ in known})
        if wanted[0] not in systems:
            given = "no system" if system is None else repr(system)
            raise UsageError(
                f"{self.name} numbers its classes by {', '.join(filter(None, systems)) or 'one system alone'}"
                f", got {given} for number {code}; name one, or go by the words"
            )
        numbers = ", ".join(f"{number} {word}" for (name, number), word in known.items() if name == wanted[0])
        raise UsageError(f"{code} is no class of {self.name}; it has {numbers}")

    def rating(self, rating: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return ratings of the corpus on [-1, 1]; fractions stay fractions.

        Raises
        ------
        UsageError
            A rating off the scale, or a corpus without ratings.
        """
        if self.ratings is None:
            raise UsageError(f"{self.name} has no ratings; go by its classes: {', '.join(self.words)}")
        try:
            return self.ratings.project(rating)
        except UsageError as error:
            raise UsageError(f"{self.name}: {error}") from error


def _numbers(label: Label) -> list[tuple[str, int]]:
    """Return every number of a class with its system, "" for the only one."""
    own = [] if label.code is None else [("", label.code)]
    return own + list(label.codes.items())


@cache
def corpora() -> tuple[str, ...]:
    """Return the names of the corpora whose vocabulary comes with the package."""
    return tuple(sorted(path.stem for path in _TABLES.glob("*.toml")))


@cache
def vocabulary(corpus: str) -> Vocabulary:
    """Return the vocabulary of a corpus.

    Parameters
    ----------
    corpus : str
        Its name, whatever its case ("SEED_IV" is "seed-iv"), or the path of a TOML file of one's own.

    Raises
    ------
    UsageError
        No corpus of that name; the sentence lists them.
    InputFileError
        The TOML file cannot be read or says what cannot be.
    """
    if corpus.endswith(".toml"):
        return load_vocabulary(Path(corpus))
    key = corpus.strip().lower().replace("_", "-")
    key = _SHORT.get(key, key)
    if key not in corpora():
        raise UsageError(
            f"{corpus!r} is no corpus with a vocabulary here; name one of {', '.join(corpora())}, "
            "or a TOML file of your own"
        )
    return load_vocabulary(_TABLES / f"{key}.toml")


def load_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary.

    Parameters
    ----------
    path : pathlib.Path
        A TOML file: `name`, and `[ratings]` or `[[classes]]` or both.

    Raises
    ------
    InputFileError
        It cannot be read, or says what cannot be: file, field and value in one sentence.
    """
    return read_toml(path, Vocabulary)
