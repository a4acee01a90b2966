"""Reading a stream's description as a stranger's text: bounded, and without entities."""

import re
import xml.etree.ElementTree as ET

from emod_model.errors import SourceError
from emod_rt.sources.base import Metadata

_LONGEST = 4_000_000  # characters; a thousand channels, each with a page of its own, take a quarter of it
_DEEPEST = 100
_LONGEST_NAME = 1000
# control characters, plain or as references, which senders pass on and XML forbids
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:x0*(?:[0-8bcef]|1[0-9a-f])|0*(?:[0-8]|1[124-9]|2\d|3[01]));",
    re.IGNORECASE,
)


class _Bounded(ET.TreeBuilder):
    """Builds a tree of bounded depth; what walks through it later may be recursive."""

    depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise SourceError(
                f"the stream's description is nested more than {_DEEPEST} deep; choose another stream"
            )
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ET.Element:
        self.depth -= 1
        return super().end(tag)


def clean_text(text: str) -> str:
    """Return a name as XML can carry it: without control characters, at most 1,000 characters long."""
    return _FORBIDDEN.sub("", text)[:_LONGEST_NAME]


def parse_description(xml: str) -> ET.Element:
    """Return the tree of a stream's description.

    Parameters
    ----------
    xml : str
        As the sender gives it; control characters are left out.

    Raises
    ------
    SourceError
        Longer than 4 million characters, nested more than 100 deep, with a document type (whose entities
        could grow without bound), or not well formed.
    """
    if len(xml) > _LONGEST:
        raise SourceError(
            f"the stream's description is {len(xml) / 1e6:.0f} MB long; choose another stream, or describe "
            "its channels in fewer words"
        )
    if "<!DOCTYPE" in xml.upper():
        raise SourceError(
            "the stream's description has a document type, which none needs; choose another stream"
        )
    try:
        return ET.fromstring(_FORBIDDEN.sub("", xml), ET.XMLParser(target=_Bounded()))
    except (ET.ParseError, ValueError) as problem:
        raise SourceError(
            f"the stream's description is broken XML ({problem}); start the sender again, or choose another"
        ) from problem


def describe_stream(name: str, kind: str, source_id: str, xml: str) -> Metadata:
    """Return what a stream says of itself, in a form that any file can carry.

    Parameters
    ----------
    name, kind, source_id : str
        As on LSL.
    xml : str
        Full description of the stream, "" when it gave none.

    Raises
    ------
    SourceError
        The description cannot be read, see `parse_description`.
    """
    desc = parse_description(xml).find("desc") if xml else None
    text = ET.tostring(desc, encoding="unicode").strip() if desc is not None and len(desc) else ""
    return Metadata(clean_text(name), clean_text(kind), clean_text(source_id), text)
