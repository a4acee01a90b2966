"""Settings out of a TOML file, checked: what is wrong comes as one sentence with file, field and value."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from emod_model.errors import InputFileError

Settings = TypeVar("Settings", bound=BaseModel)


def read_toml(path: Path, kind: type[Settings]) -> Settings:
    """Read a TOML file as settings of one kind.

    Parameters
    ----------
    path : pathlib.Path
        Text in UTF-8.
    kind : type of pydantic.BaseModel
        What it must hold.

    Raises
    ------
    InputFileError
        No such file, no TOML, or a field that is missing, unknown or has a value it cannot have.
    """
    try:
        with path.open("rb") as file:
            return kind.model_validate(tomllib.load(file))
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror}; give a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(f"{path} is not TOML: {error}; mend that place") from error
    except ValidationError as error:
        raise InputFileError(f"{path}: {first_problem(error)}") from error


def first_problem(error: ValidationError) -> str:
    """Return the first problem of a validation as part of a sentence: field, value, what it must be."""
    problem = error.errors()[0]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(
        "."
    )
    reason = problem["msg"].removeprefix("Value error, ").rstrip(".")
    reason = reason[:1].lower() + reason[1:]
    if problem["type"] == "missing":
        return f"{field} is missing; add it"
    if problem["type"] == "extra_forbidden":
        return f"{field} is not a setting known here; take it out or mend its spelling"
    # a whole table says nothing; its own sentence names the value
    if not field or isinstance(problem["input"], (dict, BaseModel)):
        return f"{field}: {reason}".removeprefix(": ")
    return f"{field} = {problem['input']!r}: {reason}"
