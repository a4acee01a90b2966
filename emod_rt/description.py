"""The description of a stream, as LSL and XDF carry it: kept as the sender wrote it."""

import copy
from collections.abc import Sequence
from xml.etree import ElementTree as ET


def describe_channels(desc: str, rows: Sequence[int], names: Sequence[str]) -> str:
    """Return a description that fits the channels that are kept, in microvolts.

    Everything else in it stays as the sender wrote it, also what each kept channel says of itself.

    Parameters
    ----------
    desc : str
        XML of a `<desc>` element, well formed; "" when there is none.
    rows : sequence of int
        Channels of the sender that are kept, in their new order.
    names : sequence of str
        Electrode of each.

    Returns
    -------
    str
        XML of the new `<desc>` element.
    """
    root = ET.fromstring(desc) if desc else ET.Element("desc")
    old = root.find("channels")
    described = [] if old is None else old.findall("channel")
    channels = ET.Element("channels")
    for row, name in zip(rows, names, strict=True):
        channel = copy.deepcopy(described[row]) if row < len(described) else ET.Element("channel")
        for key, value in (("label", name), ("unit", "microvolts"), ("type", "EEG")):
            entry = channel.find(key)
            if entry is None:
                entry = ET.SubElement(channel, key)
            entry.text = value
        channels.append(channel)
    if old is None:
        root.insert(0, channels)
    else:
        # what is said of all channels together stays too
        channels.extend(child for child in old if child.tag != "channel")
        root[list(root).index(old)] = channels
    return ET.tostring(root, encoding="unicode")
