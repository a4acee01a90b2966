"""Our own recordings of calibrations as a corpus: rated trials, and the rest before them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emod_model.corpora.base import CORPORA, Folder, Trial
from emod_model.errors import InputFileError, UsageError
from emod_rt.calibration.log import Log, Span, read_log
from emod_rt.readers import Recording, read_recording

# the offline half may not import this one, so it is told where to find it
CORPORA["xdf"] = "emod_rt.corpora:Sessions"


class Sessions(Folder):
    """Recordings that `emod-rt calibrate` made: who, rest, films and ratings stand in their markers.

    Parameters
    ----------
    raw : pathlib.Path
        Holds them, itself or further down; or one recording.

    Raises
    ------
    InputFileError
        There is no calibration in any of them.
    """

    name = "xdf"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        self._files: dict[str, list[Path]] = {}
        paths = [raw] if raw.is_file() else sorted(raw.rglob("*.xdf"))
        for path in paths:
            try:
                user = read_log(read_recording(path)).begin.user
            except InputFileError as error:
                self.notes[f"left out: {error}"] += 1
                continue
            self._files.setdefault(user, []).append(path)
        if not self._files:
            why = next(iter(self.notes), "there is no .xdf in it")
            raise InputFileError(f"{raw}: no calibration among {len(paths)} recordings; {why}")

    def subjects(self) -> tuple[str, ...]:
        """Return the people, as the recordings name them."""
        return tuple(sorted(self._files))

    def files(self, subject: str) -> tuple[Path, ...]:
        """Return the person's recordings."""
        if subject not in self._files:
            raise UsageError(f"{subject!r} is nobody in {self.raw}, which has {', '.join(self.subjects())}")
        return tuple(self._files[subject])

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield the rest, as a trial that is nothing but baseline, and every rated trial, as recorded.

        Lost samples are NaN. A session is told by the name of its recording.

        Raises
        ------
        InputFileError
            A recording has changed and can no longer be read.
        UsageError
            No such person.
        """
        for path in self.files(subject):
            recording = read_recording(path)
            log = read_log(recording)
            self._note(recording, log)
            if log.rest is not None:
                yield _trial(recording, subject, "rest", log.rest, baseline=True)
            for rated in log.rated:
                begin, rating = rated.begin, rated.rating
                ratings = {"valence": (rating.valence - 5) / 4, "arousal": (rating.arousal - 5) / 4}
                span = rated.start, rated.stop
                yield _trial(recording, subject, str(begin.trial), span, begin.stimulus, ratings)

    def _note(self, recording: Recording, log: Log) -> None:
        """Keep what the reader and the markers say."""
        said = [*recording.notes, *log.notes]
        if recording.simulated:
            said.append("simulated: nobody's brain is behind it")
        self.notes += Counter(f"{recording.name}: {sentence}" for sentence in said)


def _trial(
    recording: Recording,
    subject: str,
    name: str,
    span: Span,
    stimulus: str | None = None,
    ratings: dict[str, float] | None = None,
    *,
    baseline: bool = False,
) -> Trial:
    """Cut a stretch out of a recording, s after its first sample."""
    begin, end = (int(recording.index[0]) + round(at * recording.sfreq) for at in span)
    rows = slice(*np.searchsorted(recording.index, (begin, end)))
    eeg = np.full((len(recording.channels), end - begin), np.nan, dtype=np.float32)
    eeg[:, recording.index[rows] - begin] = recording.data[:, rows]
    return Trial(
        subject=subject,
        session=recording.path.stem,
        trial=name,
        stimulus=stimulus,
        eeg=eeg,
        sfreq=recording.sfreq,
        channels=recording.channels,
        baseline_s=(end - begin) / recording.sfreq if baseline else 0.0,
        label=None,
        ratings=ratings,
        start_s=span[0],
    )
