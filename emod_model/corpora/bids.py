"""Any BIDS-EEG dataset: people, sessions, tasks and runs through mne-bids, trials from its events."""

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emod_model.affect import Vocabulary
from emod_model.corpora.base import Folder, Trial
from emod_model.corpora.bids_events import Row, number_of, read_events
from emod_model.corpora.edf_size import WIDTHS, check_whole
from emod_model.errors import EmodError, InputFileError, UsageError
from emod_model.montage import canonical, clean, is_electrode

if TYPE_CHECKING:
    from mne_bids import BIDSPath

REST = ("rest", "baseline")
"""Words of `trial_type` that are the person's rest, unless the vocabulary has them as classes."""
_EXTENSIONS = [".vhdr", ".edf", ".bdf", ".set", ".cnt"]
_FEWEST_ELECTRODES = 2


class BIDS(Folder):
    """A dataset whose events have a duration and say in `trial_type` what they were.

    An event is a trial when its `trial_type` is a class of the vocabulary, or when it has numbers in the
    columns `valence` and `arousal`; without a vocabulary every word is a class. A recording without events is
    one trial, labelled with its task.

    Parameters
    ----------
    raw : pathlib.Path
        The root of the dataset.
    vocabulary : Vocabulary, optional
        Where classes lie, and the scale of the ratings (a TOML file of the user's).

    Raises
    ------
    InputFileError
        There is no EEG in it.
    """

    name = "bids"

    def __init__(self, raw: Path, vocabulary: Vocabulary | None = None) -> None:
        super().__init__(raw)
        self.vocabulary = vocabulary
        self._recordings: dict[str, list[BIDSPath]] = {}
        from mne_bids import find_matching_paths

        if raw.is_dir():
            found = find_matching_paths(raw, datatypes="eeg", suffixes="eeg", extensions=_EXTENSIONS)
            for path in sorted(found, key=lambda path: str(path.fpath)):
                self._recordings.setdefault(path.subject, []).append(path)
        if not self._recordings:
            raise InputFileError(
                f"{raw}: no sub-LABEL/eeg/sub-LABEL_task-NAME_eeg file ({', '.join(_EXTENSIONS)}) in it; "
                "give the root of a BIDS dataset"
            )

    def subjects(self) -> tuple[str, ...]:
        """Return the labels behind "sub-"."""
        return tuple(sorted(self._recordings))

    def files(self, subject: str) -> tuple[Path, ...]:
        """Return everything in the person's folder, and what holds for all: the tables at the root."""
        self._recordings_of(subject)
        own = (self.raw / f"sub-{subject}").rglob("*")
        shared = (path for path in self.raw.glob("*") if path.suffix in (".tsv", ".json"))
        return tuple(path for path in (*sorted(own), *sorted(shared)) if path.is_file())

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield the trials of every recording, by session, task and run.

        Channels that are marked as bad are NaN; electrodes that are not of the 10-05 system are left out.

        Raises
        ------
        InputFileError
            A recording or its events cannot be read or used: file, row and value in one sentence.
        UsageError
            No such person.
        """
        for path in self._recordings_of(subject):
            # before mne-bids stumbles over them
            file, rows = read_events(path)
            eeg, sfreq, channels = self._signal(path)
            if file is None:
                yield self._trial(path, {"trial_type": path.task}, 0, eeg, sfreq, channels)
                continue
            used = 0
            for number, row in enumerate(rows, 2):
                try:
                    if not self._is_trial(row):
                        self.notes[
                            f"events {row.get('trial_type', 'n/a')!r} are no trials and passed over"
                        ] += 1
                        continue
                    yield self._trial(path, row, number, eeg, sfreq, channels)
                except EmodError as error:
                    raise InputFileError(f"{file}, row {number}: {error}") from error
                used += 1
            if not used:
                raise InputFileError(f"{file}: none of its {len(rows)} events is a trial; {self._wanted()}")

    def _recordings_of(self, subject: str) -> "list[BIDSPath]":
        if subject not in self._recordings:
            raise UsageError(f"{subject!r} is nobody in {self.raw}, which has {', '.join(self.subjects())}")
        return self._recordings[subject]

    def _wanted(self) -> str:
        if self.vocabulary is None:
            return "a trial has a duration above 0 and a trial_type"
        words = ", ".join(label.word for label in self.vocabulary.classes) or "none, so give ratings"
        return f"a trial has a duration above 0, and ratings or a class of {self.vocabulary.name} ({words})"

    def _is_trial(self, row: Row) -> bool:
        """Tell a trial, or a rest, from a button press."""
        duration = number_of(row, "duration")
        if duration is None or duration <= 0:
            return False
        if number_of(row, "valence") is not None or number_of(row, "arousal") is not None:
            return True
        word = row.get("trial_type", "n/a")
        if word == "n/a" or word.upper().startswith(("BAD", "BOUNDARY")):
            return False
        return self.vocabulary is None or self._is_class(word) or word.casefold() in REST

    def _is_class(self, word: str) -> bool:
        known = self.vocabulary.classes if self.vocabulary is not None else ()
        return any(label.word.casefold() == word.strip().casefold() for label in known)

    def _trial(
        self,
        path: "BIDSPath",
        row: Row,
        number: int,
        eeg: npt.NDArray[np.float32],
        sfreq: float,
        channels: tuple[str, ...],
    ) -> Trial:
        onset = number_of(row, "onset") or 0.0
        first = round(onset * sfreq)
        length = round((number_of(row, "duration") or math.inf) * sfreq) if number else eeg.shape[1]
        if not 0 <= first < eeg.shape[1]:
            raise InputFileError(
                f"onset {onset:g} s is not within the {eeg.shape[1] / sfreq:g} s of its recording"
            )
        if first + length > eeg.shape[1]:
            self.notes["a trial goes on after its recording ends and was cut"] += 1
        piece = eeg[:, first : first + length]
        word = row.get("trial_type", "n/a")
        rest = word.casefold() in REST and not self._is_class(word)
        return Trial(
            subject=path.subject,
            session=path.session or "1",
            trial="_".join(filter(None, (path.task, path.run, str(number) if number else ""))),
            stimulus=next(
                (row[key] for key in ("stim_file", "stimulus") if row.get(key, "n/a") != "n/a"), None
            ),
            eeg=piece,
            sfreq=sfreq,
            channels=channels,
            baseline_s=piece.shape[1] / sfreq if rest else 0.0,
            label=None if rest or word == "n/a" or not self._usable(word) else word,
            ratings=None if rest else self._ratings(row),
            start_s=onset,
        )

    def _usable(self, word: str) -> bool:
        return self.vocabulary is None or self._is_class(word)

    def _ratings(self, row: Row) -> dict[str, float] | None:
        given = {
            axis: value for axis in ("valence", "arousal") if (value := number_of(row, axis)) is not None
        }
        if not given:
            return None
        if self.vocabulary is None or self.vocabulary.ratings is None:
            axis, value = next(iter(given.items()))
            raise InputFileError(
                f"{axis} {value:g} is on no known scale; name a TOML file with [ratings] low and high by "
                "--vocabulary"
            )
        return {axis: float(self.vocabulary.rating(value)) for axis, value in given.items()}

    def _signal(self, path: "BIDSPath") -> tuple[npt.NDArray[np.float32], float, tuple[str, ...]]:
        """Return the electrodes of a recording in microvolts, its rate and their names."""
        import mne_bids

        if path.fpath.suffix in WIDTHS:
            check_whole(path.fpath)
        with warnings.catch_warnings():
            # what a dataset does not tell of people and places is no matter here
            warnings.simplefilter("ignore")
            try:
                raw = mne_bids.read_raw_bids(path, verbose="error").load_data(verbose="error")
            except Exception as error:  # mne-bids raises whatever a broken dataset makes it stumble on
                said = " ".join(str(error).split())[:200]
                raise InputFileError(
                    f"{path.fpath}: cannot be read as BIDS-EEG ({said}); mend the dataset"
                ) from error
        types = raw.get_channel_types()
        rows: dict[str, int] = {}
        for row, (label, kind) in enumerate(zip(raw.ch_names, types, strict=True)):
            bare = clean(label)
            if kind != "eeg":
                continue
            if not is_electrode(bare):
                self.notes[f"channel {label!r} is no electrode of the 10-05 system and left out"] += 1
                continue
            if canonical(bare) in rows:
                raise InputFileError(
                    f"{path.fpath}: electrode {canonical(bare)} is there twice; keep one of them"
                )
            rows[canonical(bare)] = row
        if len(rows) < _FEWEST_ELECTRODES:
            raise InputFileError(
                f"{path.fpath}: {len(rows)} of its channels ({', '.join(raw.ch_names[:8])}) are electrodes "
                "of the 10-05 system; an average reference needs two"
            )
        eeg = (raw.get_data(picks=list(rows.values())) * 1e6).astype(np.float32)
        for place, row in enumerate(rows.values()):
            if raw.ch_names[row] in raw.info["bads"]:
                eeg[place] = np.nan
        return eeg, float(raw.info["sfreq"]), tuple(rows)
