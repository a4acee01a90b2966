"""MAHNOB-HCI: up to 30 people, 20 film clips, rated 1 to 9 (Soleymani et al. 2012)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.bdf import Bdf, read_bdf
from emod_model.corpora.caps import BIOSEMI_32
from emod_model.errors import InputFileError

_LARGEST_XML = 1 << 20
_RATED = ("feltVlnc", "feltArsl")


class MahnobHCI(FilesOfPeople):
    """Folders Sessions/<id>, each with session.xml and a BDF.

    Rate and electrodes are the header's. The rest before the clip is its baseline, and what follows the clip
    is left off. Sessions without ratings, without a BDF or without the two events are passed over and noted.

    Parameters
    ----------
    raw : pathlib.Path
        Holds Sessions, or is that folder.
    """

    name = "mahnob-hci"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        paths = checks.place(raw, "Sessions").glob("*/session.xml")
        people: dict[str, list[Path]] = {}
        self._said: dict[Path, Mapping[str, str]] = {}
        for path in checks.found(raw, paths, "Sessions/<id>/session.xml"):
            root = _xml(path)
            person = root.find("subject")
            who = "" if person is None else person.get("id", "")
            missing = [name for name in _RATED if name not in root.attrib] + ["subject id"] * (not who)
            if missing:
                self.notes[f"a session.xml without {' and '.join(missing)}, passed over"] += 1
                continue
            self._said[path] = dict(root.attrib)
            people.setdefault(who, []).extend([path, *sorted(path.parent.glob("*.bdf"))[:1]])
        if not people:
            raise InputFileError(f"{raw}: no session.xml has feltVlnc and feltArsl; give the whole corpus")
        self._files = {who: tuple(people[who]) for who in sorted(people, key=checks.numbered)}

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield a person's rated sessions.

        Raises
        ------
        InputFileError
            A file is damaged or holds something else.
        UsageError
            No such person.
        """
        for path in self._own(subject):
            if path.suffix == ".bdf":
                continue
            recordings = [
                other for other in self._own(subject) if other.parent == path.parent and other != path
            ]
            if not recordings:
                self.notes["a rated session without a .bdf, passed over"] += 1
                continue
            bdf = read_bdf(recordings[0])
            events = bdf.triggers()
            if len(events) != 2:
                self.notes[f"a session with {len(events)} events, not 2, passed over"] += 1
                continue
            yield self._trial(subject, path, bdf, events[0][0], events[1][0])

    def _trial(self, subject: str, path: Path, bdf: Bdf, start: int, stop: int) -> Trial:
        said = self._said[path]
        values = {name: _number(path, name, said[name]) for name in _RATED}
        label = None
        if "feltEmo" in said:
            label = checks.word(self.name, path, "feltEmo", _number(path, "feltEmo", said["feltEmo"]))
        else:
            self.notes["a session without feltEmo, whose ratings alone are read"] += 1
        eeg = np.stack([bdf.microvolts(row)[:stop] for row in _rows(bdf)])
        return Trial(
            subject=subject,
            session="1",
            trial=path.parent.name,
            stimulus=said.get("mediaFile") or None,
            eeg=checks.signal(bdf.path, "its EEG", eeg, len(BIOSEMI_32)),
            sfreq=bdf.sfreq,
            channels=BIOSEMI_32,
            baseline_s=start / bdf.sfreq,
            label=label,
            ratings=checks.ratings(
                self.name, path, "the session", valence=values["feltVlnc"], arousal=values["feltArsl"]
            ),
        )


def _xml(path: Path) -> ElementTree.Element:
    try:
        if path.stat().st_size > _LARGEST_XML:
            raise InputFileError(f"{path}: {path.stat().st_size} bytes, no session.xml of this corpus")
        text = path.read_bytes()
        if b"<!ENTITY" in text:
            raise InputFileError(f"{path}: defines entities, which no session.xml of this corpus does")
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise InputFileError(f"{path}: a damaged or cut XML file ({error}); copy it again") from error
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check that it is there") from error


def _number(path: Path, name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputFileError(f"{path}: {name} is {text[:40]!r}, not a number; copy it again") from error


def _rows(bdf: Bdf) -> list[int]:
    places = {label.upper(): row for row, label in enumerate(bdf.labels)}
    missing = [name for name in BIOSEMI_32 if name.upper() not in places]
    if missing:
        raise InputFileError(
            f"{bdf.path}: channel {', '.join(missing[:5])} is not among its {len(bdf.labels)} "
            f"({', '.join(bdf.labels[:4])} ...); take the file as the corpus gives it"
        )
    return [places[name.upper()] for name in BIOSEMI_32]
