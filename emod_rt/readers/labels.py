"""Which columns or channels of a file are electrodes."""

import re

from emod_model.montage import clean, is_electrode

# exporters' own decorations, on top of those that every format knows
_DECORATION = re.compile(r"^(?:EEG\.|RAW_)", re.IGNORECASE)
_INNER = re.compile(
    r"unpack|NoneType|could not convert|invalid literal|codec can't|reshape|has no attribute|by zero|"
    r"buffer size|<\?\?\?>|index \S+ is out|^'.*'$"
)
_NOT_EEG = re.compile(
    r"time|date|marker|trigger|status|event|stim|label|class|target|accel|acc[ _.]?[xyz]|gyro|mag[xyz]?\b|"
    r"mot\.|pow\.|pm\.|counter|sample|index|packet|battery|quality|cq\b|aux|not used|other|digital|analog|"
    r"temp|ppg|hsi|elements|interpolated|eog|ecg|ekg|emg|resp|unnamed|^(?:delta|theta|alpha|beta|gamma)",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Return a text of a file as one line that does nothing to a terminal but show."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def why(said: str) -> str:
    """Return what a library says against a file, in short, and without what only its programmers know."""
    said = " ".join(said.split()).split(". ")[0].split("; ")[0][:120].rstrip(".,: ")
    return "its parts do not fit each other" if not said or _INNER.search(said) else plain(said)


def electrode(label: str) -> str | None:
    """Return the electrode that a label means, None when it means none.

    Examples
    --------
    >>> electrode("EEG T3"), electrode("RAW_TP9"), electrode("EEG A2-A1")
    ('T3', 'TP9', None)
    """
    bare = clean(_DECORATION.sub("", label.strip()))
    return bare if is_electrode(bare) else None


def is_signal(label: str) -> bool:
    """Tell a column of EEG from one that is plainly something else."""
    return electrode(label) is not None or _NOT_EEG.search(label) is None


def split_labels(labels: list[str]) -> tuple[list[int], list[str] | None]:
    """Choose the channels that are EEG.

    Parameters
    ----------
    labels : list of str
        Every channel or column that holds numbers.

    Returns
    -------
    tuple of (list of int, list of str or None)
        Positions of the EEG channels and their electrodes; when fewer than two labels are electrodes, the
        positions of everything that is not plainly something else, and None.
    """
    found = [(at, name) for at, label in enumerate(labels) if (name := electrode(label)) is not None]
    if len(found) >= 2:
        return [at for at, _ in found], [name for _, name in found]
    rest = [at for at, label in enumerate(labels) if is_signal(label)]
    if len(found) == 1 and len(rest) <= 1:
        return [found[0][0]], [found[0][1]]
    return rest, None


def left_out(labels: list[str], kept: list[int]) -> str | None:
    """Return one sentence on the channels that are not electrodes, None when all are."""
    used = set(kept)
    rest = [label.strip() for at, label in enumerate(labels) if at not in used]
    if not rest:
        return None
    shown = ", ".join(rest[:6]) + (f" and {len(rest) - 6} more" if len(rest) > 6 else "")
    return f"left out, not scalp electrodes: {shown}"
