"""Checks of what a user asked for, on the command line and in Python alike."""

from emod_model.errors import UsageError


def channel_list(text: str | None) -> list[str] | None:
    """Split electrode names parted by commas.

    Raises
    ------
    UsageError
        An empty name.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise UsageError(f"channels {text!r} hold an empty name; give names parted by commas, as Fp1,Fp2,C3")
    return names


def positive(option: str, value: float | None) -> None:
    """Refuse a time that is not above 0.

    Raises
    ------
    UsageError
        It is not.
    """
    if value is not None and not 0 < value < float("inf"):
        raise UsageError(f"{option} {value:g} is not a time; give seconds above 0")


def not_negative(option: str, value: float) -> None:
    """Refuse a time below 0.

    Raises
    ------
    UsageError
        It is, or it has no end.
    """
    if not 0 <= value < float("inf"):
        raise UsageError(f"{option} {value:g} is not a time; give seconds from 0")
