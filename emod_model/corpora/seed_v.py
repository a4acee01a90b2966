"""SEED-V: 16 people, 3 sessions of 15 film clips, five emotions, as recorded (Liu et al. 2021)."""

import re
from collections.abc import Iterator
from pathlib import Path

from emod_model.affect.vocabulary import vocabulary
from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.caps import NEUROSCAN_62
from emod_model.corpora.cnt import Cnt, read_cnt
from emod_model.errors import InputFileError

_LATER = (2, 1, 3, 0, 4, 4, 0, 3, 2, 1, 3, 4, 1, 2, 0)
CODES = {"1": (4, 1, 3, 2, 0) * 3, "2": _LATER, "3": _LATER}
"""What each clip of a session stands for."""
SPANS = {
    "1": (
        (30, 102), (132, 228), (287, 524), (555, 742), (773, 920), (982, 1240), (1271, 1568), (1628, 1697),
        (1730, 1994), (2025, 2166), (2227, 2401), (2435, 2607), (2667, 2901), (2932, 3172), (3204, 3359),
    ),
    "2": (
        (30, 267), (299, 488), (548, 614), (646, 773), (836, 967), (1000, 1059), (1091, 1331), (1392, 1622),
        (1657, 1777), (1809, 1908), (1966, 2153), (2186, 2302), (2333, 2428), (2490, 2709), (2741, 2817),
    ),
    "3": (
        (30, 321), (353, 418), (478, 643), (674, 764), (825, 877), (908, 1147), (1200, 1284), (1346, 1418),
        (1451, 1679), (1711, 1996), (2055, 2275), (2307, 2425), (2457, 2664), (2726, 2857), (2888, 3066),
    ),
}  # fmt: skip
"""Where the clips lie in a session's recording, s, as trial_start_end_timestamp.txt lists them."""
_NAME = re.compile(r"(\d+)_([123])_(\d{8})(_repaired)?\.cnt")


class SEEDV(FilesOfPeople):
    """Files <subject>_<session>_<date>.cnt in EEG_raw; where one has a repaired twin, the twin is read.

    Mastoids and eyes (M1, M2, VEO, HEO) are left off.

    Parameters
    ----------
    raw : pathlib.Path
        Holds EEG_raw, or is that folder.
    """

    name = "seed-v"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        paths = [path for path in checks.place(raw, "EEG_raw").glob("*.cnt") if _NAME.fullmatch(path.name)]
        found = checks.found(raw, paths, "EEG_raw/1_1_20180804.cnt")
        for path in found:
            twin = path.with_name(f"{path.stem}_repaired.cnt")
            if twin in found:
                self.notes[f"{twin.name} is read in place of {path.name}"] += 1
                continue
            who, session, _ = path.name.split("_", 2)
            own = self._files.get(who, ())
            if same := [other.name for other in own if other.name.startswith(f"{who}_{session}_")]:
                raise InputFileError(f"{path}: {same[0]} is the same session; keep one of them")
            self._files[who] = (*own, path)

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield a person's clips, cut from the recordings of the sessions.

        Raises
        ------
        InputFileError
            A file is damaged or lacks an electrode.
        UsageError
            No such person.
        """
        words = vocabulary(self.name)
        for path in self._own(subject):
            session = path.name.split("_")[1]
            cnt = read_cnt(path)
            rows = _rows(cnt)
            cut_off = []
            for at, (start, end) in enumerate(SPANS[session]):
                first, stop = round(start * cnt.sfreq), round(end * cnt.sfreq)
                if stop > cnt.samples:
                    cut_off.append(str(at + 1))
                    continue
                yield Trial(
                    subject=subject,
                    session=session,
                    trial=str(at + 1),
                    stimulus=f"session {session} clip {at + 1}",
                    eeg=cnt.microvolts(first, stop, rows),
                    sfreq=cnt.sfreq,
                    channels=NEUROSCAN_62,
                    baseline_s=0.0,
                    label=words.word(CODES[session][at]),
                    ratings=None,
                    start_s=float(start),
                )
            if cut_off:
                self.notes[f"{path.name} ends before these clips do, passed over: {', '.join(cut_off)}"] += 1


def _rows(cnt: Cnt) -> list[int]:
    """Return where the electrodes lie in the file."""
    places = {label.upper(): row for row, label in enumerate(cnt.labels)}
    missing = [name for name in NEUROSCAN_62 if name.upper() not in places]
    if missing:
        raise InputFileError(
            f"{cnt.path}: channel {', '.join(missing[:5])} is not among its {len(cnt.labels)} "
            f"({', '.join(cnt.labels[:4])} ...); take the file as the corpus gives it"
        )
    return [places[name.upper()] for name in NEUROSCAN_62]
