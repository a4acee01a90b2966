"""Which channels of an LSL stream are electrodes, from its description."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from emod_model.errors import SourceError, UsageError
from emod_model.montage import canonical_names
from emod_rt.description import describe_channels
from emod_rt.readers.labels import electrode, left_out
from emod_rt.readers.units import parse_unit
from emod_rt.sources.lsl_query import shown
from emod_rt.sources.lsl_xml import parse_description

_EEG_TYPES = ("", "eeg", "exg")
_LONGEST_LABEL = 40


@dataclass(frozen=True)
class Layout:
    """What a stream's description says of its channels.

    Attributes
    ----------
    rows : tuple of int
        Channels of the stream that are used, in the order of `channels`.
    channels : tuple of str
        Electrodes in 10-05 spelling.
    units : tuple of (str or None)
        Unit of each, as declared.
    notes : tuple of str
        What was left out and why.
    simulated : bool
        The sender says that no person stands behind the signal.
    desc : str
        XML of the description's `<desc>`, of the channels that are used.
    """

    rows: tuple[int, ...]
    channels: tuple[str, ...]
    units: tuple[str | None, ...]
    notes: tuple[str, ...]
    simulated: bool
    desc: str


def read_layout(xml: str, n_channels: int, channels: Sequence[str] | None) -> Layout:
    """Choose the electrodes of a stream.

    Parameters
    ----------
    xml : str
        Full description of the stream.
    n_channels : int
        Channels of the stream.
    channels : sequence of str or None
        Names given by the user: one a data channel when the stream names no electrodes, else a selection.

    Raises
    ------
    UsageError
        The stream names no electrodes and `channels` does not either, or `channels` does not fit the stream.
    SourceError
        The description is broken, fewer than two electrodes, or one electrode twice.
    """
    root = parse_description(xml)
    labels, types, units, notes = _declared(root, n_channels)
    eeg = [row for row in range(n_channels) if types[row].lower() in _EEG_TYPES]
    named = {row: name for row in eeg if (name := electrode(labels[row])) is not None}
    wanted = None if channels is None else canonical_names(channels)
    if len(named) >= 2:
        rows, names = _selection(named, wanted)
        every = [label or f"channel {at + 1}" for at, label in enumerate(labels)]
        if wanted is None and (note := left_out(every, rows)):
            notes.append(note)
    else:
        rows, names = _by_order(eeg, labels, wanted)
        if len(rows) < n_channels:
            notes.append(f"{n_channels - len(rows)} channels that the stream does not call EEG are left out")
    if len(rows) < 2:
        raise SourceError(
            f"{len(rows)} electrode ({', '.join(names) or 'none'}) is too few for the average reference; "
            "choose another stream, or at least 2 channels with --channels"
        )
    simulated = (root.findtext("desc/simulated") or "").strip().lower() == "true"
    desc = describe_channels(_desc(root, n_channels), rows, names)
    return Layout(tuple(rows), names, tuple(units[row] for row in rows), tuple(notes), simulated, desc)


def _desc(root: ET.Element, n_channels: int) -> str:
    """Return what a stream says beyond its channels, and of them when it describes all that it has."""
    desc = root.find("desc")
    if desc is None:
        return ""
    channels = desc.find("channels")
    if channels is not None and len(channels.findall("channel")) != n_channels:
        desc.remove(channels)
    return ET.tostring(desc, encoding="unicode")


def _declared(root: ET.Element, n_channels: int) -> tuple[list[str], list[str], list[str | None], list[str]]:
    """Return label, type and unit of each channel, and what was odd about them."""
    described = root.findall("desc/channels/channel")
    notes = []
    if described and len(described) != n_channels:
        notes.append(
            f"the description names {len(described)} channels and the stream has {n_channels}; "
            "its labels are not used"
        )
        described = []
    if not described:
        return [""] * n_channels, [""] * n_channels, [None] * n_channels, notes
    labels = [shown(c.findtext("label") or c.findtext("name") or "")[:_LONGEST_LABEL] for c in described]
    types = [(c.findtext("type") or "").strip() for c in described]
    units = [u if (u := (c.findtext("unit") or "").strip()) and parse_unit(u) else None for c in described]
    return labels, types, units, notes


def _selection(named: dict[int, str], wanted: tuple[str, ...] | None) -> tuple[list[int], tuple[str, ...]]:
    try:
        names = canonical_names(named.values())
    except UsageError as error:
        raise SourceError(f"the stream names one electrode twice: {error}") from error
    row_of = dict(zip(names, named, strict=True))
    if wanted is None:
        return list(named), names
    if absent := [name for name in wanted if name not in row_of]:
        raise UsageError(
            f"--channels asks for {', '.join(absent)}, but the stream has {', '.join(names)}; "
            "name some of these"
        )
    return [row_of[name] for name in wanted], wanted


def _by_order(
    eeg: list[int], labels: list[str], wanted: tuple[str, ...] | None
) -> tuple[list[int], tuple[str, ...]]:
    if wanted is None:
        shown = ", ".join(label or "unnamed" for label in labels[:8]) + (", ..." if len(labels) > 8 else "")
        raise UsageError(
            f"the stream names no electrodes (its {len(labels)} channels: {shown}); "
            f"give one name for each of the {len(eeg)} EEG channels with --channels, in their order"
        )
    if len(wanted) != len(eeg):
        raise UsageError(
            f"--channels names {len(wanted)} electrodes, but the stream has {len(eeg)} EEG channels without "
            "names; give one name for each, in their order"
        )
    return eeg, wanted
