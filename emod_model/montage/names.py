"""Electrode names: 10-05 spelling, aliases, and what real files wrap around them."""

import csv
import difflib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from emod_model.errors import UsageError

# Ids 1 to 68 of the published embedding table, in order (0 is a masked channel, 69 to 71 are unused).
_PUBLISHED = (
    "A1 A2 AF3 AF4 C1 C2 C3 C4 C5 C6 CB1 CB2 CP1 CP2 CP3 CP4 CP5 CP6 CPZ CZ F1 F2 F3 F4 F5 F6 F7 F8 "
    "FC1 FC2 FC3 FC4 FC5 FC6 FCZ FP1 FP2 FPZ FT7 FT8 FZ O1 O2 OZ P1 P2 P3 P4 P5 P6 P7 P8 PO3 PO4 PO5 "
    "PO6 PO7 PO8 POZ PZ T3 T4 T5 T6 T7 T8 TP7 TP8"
)
PUBLISHED_NAMES: tuple[str, ...] = tuple(_PUBLISHED.split())
TABLE_ROWS = 72
ALIASES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}

_PREFIX = re.compile(r"^\s*(?:EEG|POL)[\s:_-]+", re.IGNORECASE)
_REFERENCE = re.compile(
    r"\s*[-_:]\s*(?:REF|LE|AVG|AVE|AV|AR|CAR|LINKED|A1A2|A1\+A2|A1|A2|M1M2|M1|M2|0|1|2)\s*$", re.IGNORECASE
)
_EARS = {"A1", "A2", "M1", "M2"}


@cache
def table() -> dict[str, tuple[float, float, float, int | None]]:
    """Return the electrode table: name -> (x, y, z, published id or None)."""
    with Path(__file__).with_name("electrodes.csv").open(newline="", encoding="utf-8") as file:
        return {
            row["name"]: (
                float(row["x"]),
                float(row["y"]),
                float(row["z"]),
                int(row["published_id"]) if row["published_id"] else None,
            )
            for row in csv.DictReader(file)
        }


@cache
def _spelling() -> dict[str, str]:
    spelling = {name.upper(): name for name in table()}
    return spelling | ALIASES


def is_electrode(name: str) -> bool:
    """Tell whether `canonical` knows `name`."""
    return name.strip().upper() in _spelling()


def canonical(name: str) -> str:
    """Return the 10-05 spelling of an electrode name.

    Parameters
    ----------
    name : str
        Any case; T3 T4 T5 T6 mean T7 T8 P7 P8. Decorations ("EEG Fp1-REF") are refused, see `clean`.

    Raises
    ------
    UsageError
        Not a 10-05 electrode; the sentence lists the nearest known names.
    """
    known = _spelling()
    key = name.strip().upper()
    if key in known:
        return known[key]
    # A wrapped name ("EEG Fp1") is nearest to what it wraps.
    near = difflib.get_close_matches(clean(name).upper(), known, n=3, cutoff=0.5)
    nearest = ", ".join(dict.fromkeys(known[match] for match in near)) or "Fp1, Cz, O2"
    raise UsageError(
        f"{name!r} is not a 10-05 electrode name; nearest known: {nearest}; "
        "name the electrodes with --channels"
    )


def canonical_names(names: Iterable[str], *, keep_old: bool = False) -> tuple[str, ...]:
    """Return the 10-05 spelling of every name.

    Parameters
    ----------
    names : iterable of str
        Electrodes, any spelling `canonical` takes.
    keep_old : bool
        Leave T3 T4 T5 T6 as they are: electrodes of their own beside T7 T8 P7 P8.

    Raises
    ------
    UsageError
        No name at all, an unknown name, or two names of one electrode (T3 and T7).
    """
    given = list(names)
    if not given:
        raise UsageError("no electrode is named; name at least one, for example --channels Fp1,Fp2")
    result: dict[str, str] = {}
    for name in given:
        old = name.strip().upper()
        electrode = old if keep_old and old in ALIASES else canonical(name)
        if electrode in result:
            raise UsageError(
                f"{name!r} and {result[electrode]!r} are both electrode {electrode}; keep one of them"
            )
        result[electrode] = name
    return tuple(result)


def clean(name: str) -> str:
    """Strip what recordings wrap around an electrode name.

    Takes off a leading "EEG " and a trailing reference or dots: "EEG Fp1-REF", "T3-LE", "Fp1-A2", "Fcz..".
    Leaves alone what is not one electrode against a reference: bipolar pairs ("Fp1-F7"), two ears ("A2-A1").

    Returns
    -------
    str
        The bare label; not necessarily an electrode, ask `is_electrode`.
    """
    text = _PREFIX.sub("", name).strip().rstrip(".").strip()
    bare = _REFERENCE.sub("", text)
    # "A2-A1" is a difference of ears, not the ear A2.
    if bare != text and bare.upper() in _EARS and text.upper().endswith(tuple(_EARS)):
        return text
    return bare
