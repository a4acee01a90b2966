"""Finding one LSL stream: the query a person types, and words when it finds none or several."""

import threading
import time
from collections.abc import Sequence
from typing import Any

from emod_model.errors import SourceError, UsageError
from emod_rt.sources.lsl_search import Search

KEYS = ("name", "type", "source_id", "hostname", "uid")
FORMATS = {1: "float32", 2: "double64", 3: "string", 4: "int32", 5: "int16", 6: "int8", 7: "int64"}
STRING = 3
_MOST_VALUES = 5_000_000  # a second; liblsl reserves memory for five seconds of them
_SHOWN = 80  # characters of what a sender calls itself
_LOOK_S = 0.02  # how soon an answer is seen
_LEAST_S = 0.25  # so long is waited for an answer at least
_ALL_S = 1.0  # for the list of all that is there
_OTHERS_S = 0.3  # how long a second candidate is given to show up


def parse_query(query: str) -> dict[str, str]:
    """Return what to look for.

    Parameters
    ----------
    query : str
        `NAME`, or `key=value` pairs joined by commas with the keys name, type, source_id, hostname, uid.

    Raises
    ------
    UsageError
        Empty, or a key that LSL streams do not have.
    """
    text = query.strip()
    if not text:
        raise UsageError("lsl: names no stream; give lsl:NAME or lsl:type=EEG")
    if "=" not in text:
        return {"name": text}
    wanted: dict[str, str] = {}
    for part in text.split(","):
        key, mark, value = (piece.strip() for piece in part.partition("="))
        if not mark or key not in KEYS or not value:
            raise UsageError(
                f"{part.strip()!r} in lsl:{text} is not key=value with a key of {', '.join(KEYS)}; "
                "give lsl:NAME or for example lsl:type=EEG,source_id=X"
            )
        wanted[key] = value
    return wanted


def predicate(wanted: dict[str, str]) -> str:
    """Return the XPath predicate that liblsl understands."""
    return " and ".join(f"{key}={_quoted(value)}" for key, value in wanted.items()) or "true()"


def _quoted(value: str) -> str:
    """Return a text as XPath writes it, whatever quotes it holds."""
    if "'" not in value:
        return f"'{value}'"
    pieces = (f"'{piece}'" for piece in value.split("'"))
    return "concat({})".format(""", "'", """.join(pieces))


def why_not_eeg(info: Any) -> str | None:
    """Return in words why a stream cannot be EEG, None when it can."""
    if info.channel_format() == STRING:
        return "its samples are text, not numbers"
    if info.channel_format() not in FORMATS:
        return "its sample format is unknown"
    if not info.nominal_srate() > 0:
        return "its rate is irregular (nominal rate 0), and EEG needs a fixed rate"
    if not 2 <= info.channel_count() <= 1024:
        return f"it has {info.channel_count()} channels, and EEG needs 2 to 1024"
    if info.channel_count() * info.nominal_srate() > _MOST_VALUES:
        return f"it claims {info.nominal_srate():g} Hz, more than any amplifier of its channels"
    return None


def shown(text: str) -> str:
    """Return what a sender calls something, fit for a terminal: on one line, printable, not endless."""
    printable = "".join(mark if mark.isprintable() else " " for mark in text[: 4 * _SHOWN])
    return " ".join(printable.split())[:_SHOWN]


def describe(info: Any) -> str:
    """Return one stream in a few words."""
    rate = f"{info.nominal_srate():g} Hz" if info.nominal_srate() > 0 else "irregular"
    return (
        f"{shown(info.name())!r} (type {shown(info.type()) or 'none'}, "
        f"{info.channel_count()} channels, {rate}, "
        f"source_id {shown(info.source_id()) or 'none'}, host {shown(info.hostname())})"
    )


def called_off(query: str) -> SourceError:
    """Return the error of a wait that `close` ended."""
    return SourceError(f"the wait for lsl:{query} was called off; start again when the sender is there")


def find_stream(query: str, wait_s: float, stop: threading.Event) -> Any:
    """Return the one stream that a query means, as pylsl's StreamInfo.

    Parameters
    ----------
    query : str
        See `parse_query`.
    wait_s : float
        How long it may take to appear, s.
    stop : threading.Event
        Ends the wait at once.

    Raises
    ------
    UsageError
        The query cannot be understood.
    SourceError
        None found in time, several found, or what was found cannot be EEG.
    """
    wanted = predicate(parse_query(query))
    deadline = time.monotonic() + max(wait_s, _LEAST_S)
    with Search(wanted) as search:
        while not search.results():
            if stop.wait(_LOOK_S):
                raise called_off(query)
            if time.monotonic() >= deadline:
                raise _nothing(query, wait_s)
        stop.wait(_OTHERS_S)
        found = search.results()
    fit = [info for info in found if why_not_eeg(info) is None]
    if not fit:
        raise SourceError(
            f"lsl:{query} is {describe(found[0])}: {why_not_eeg(found[0])}; choose another stream, "
            "'emod-rt devices' lists them"
        )
    if len(fit) > 1:
        raise SourceError(
            f"lsl:{query} means {len(fit)} streams: {_listed(fit)}; choose one with lsl:source_id=..., "
            "lsl:hostname=... or lsl:uid=..."
        )
    return fit[0]


def _listed(infos: Sequence[Any]) -> str:
    return "; ".join(describe(info) for info in infos[:8]) + ("; ..." if len(infos) > 8 else "")


def _nothing(query: str, wait_s: float) -> SourceError:
    with Search("true()") as search:
        time.sleep(_ALL_S)
        there = [info for info in search.results() if info.channel_format() in FORMATS]
    seen = f"streams there are: {_listed(there)}" if there else "no LSL stream is on the network"
    return SourceError(
        f"no LSL stream matches lsl:{query} after {wait_s:g} s; {seen}; start the sender, or check its name "
        "and the firewall ('emod-rt doctor' tests multicast)"
    )
