"""A store to read from: every column in memory, the windows on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from emod_model.errors import InputFileError
from emod_model.signal.spec import SignalSpec
from emod_model.store.join import TEXTS
from emod_model.store.manifest import Manifest

_MAGIC = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, eq=False)
class Store:
    """Windows of a corpus, in the order of people, trials and time.

    Opening reads the columns; `windows[rows]` reads those windows and no more. A store that is handed to
    another process, as to a DataLoader's workers, is opened anew there.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    manifest : Manifest
        What it is made of, and what was left out.
    windows : numpy.ndarray, shape (windows, channels, samples), float32
        Microvolts, average-referenced over the good channels; 0 where a channel is bad or was not recorded.
        Mapped from the file, read-only.
    good : numpy.ndarray, shape (windows, channels), bool
        Which rows of a window hold a signal.
    subject, session, trial, stimulus, label : numpy.ndarray, shape (windows,), str
        "" where there is none; a trial is told by the first three together.
    valence, arousal : numpy.ndarray, shape (windows,), float64
        [-1, 1]: the person's ratings, else the place of the label in the corpus' vocabulary, else NaN.
    rated : numpy.ndarray, shape (windows,), bool
        They are ratings.
    start_s : numpy.ndarray, shape (windows,), float64
        Where the window begins in its recording, s.
    baseline : numpy.ndarray, shape (windows,), bool
        Rest before a stimulus, without label and ratings.
    """

    path: Path
    manifest: Manifest
    windows: npt.NDArray[np.float32]
    good: npt.NDArray[np.bool_]
    subject: npt.NDArray[np.str_]
    session: npt.NDArray[np.str_]
    trial: npt.NDArray[np.str_]
    stimulus: npt.NDArray[np.str_]
    label: npt.NDArray[np.str_]
    valence: npt.NDArray[np.float64]
    arousal: npt.NDArray[np.float64]
    rated: npt.NDArray[np.bool_]
    start_s: npt.NDArray[np.float64]
    baseline: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.windows)

    def __reduce__(self) -> tuple[Callable[[Path], "Store"], tuple[Path]]:
        """Hand over the path: the other process maps the file itself."""
        return open_store, (self.path,)

    @property
    def corpus(self) -> str:
        """Name of the corpus."""
        return self.manifest.recipe.corpus

    @property
    def spec(self) -> SignalSpec:
        """How the windows were conditioned."""
        return self.manifest.recipe.signal

    @property
    def hop_s(self) -> float:
        """Time between windows, s."""
        return self.manifest.recipe.hop_s

    @property
    def channels(self) -> tuple[str, ...]:
        """Electrodes, one a row of a window."""
        return self.manifest.channels


def open_store(path: str | Path) -> Store:
    """Open a store.

    Parameters
    ----------
    path : str or pathlib.Path
        A file that `emod-rt prepare` made.

    Raises
    ------
    InputFileError
        No such file, no store, or one that is damaged or of a newer program.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise InputFileError(f"{path} is no HDF5 file; give a store that emod-rt prepare made")
        return _open(path)
    except OSError as error:
        why = error.strerror or "it is cut short or damaged"
        raise InputFileError(
            f"{path} cannot be read ({why}); give a store that emod-rt prepare made"
        ) from error


def _open(path: Path) -> Store:
    import h5py

    with h5py.File(path, "r") as file:
        try:
            manifest = Manifest.model_validate_json(file["manifest"][()])
            shape = (manifest.windows, len(manifest.channels), manifest.recipe.signal.window_samples)
            first = file["windows"].id.get_offset()
            if file["windows"].shape != shape or file["windows"].dtype != np.dtype("<f4") or first is None:
                raise InputFileError(f"{path}: its windows are not as its manifest says; prepare it again")
            columns = {
                name: file[name].asstr()[:].astype(np.str_) if name in TEXTS else file[name][:]
                for name in Store.__dataclass_fields__.keys() - {"path", "manifest", "windows"}
            }
        except KeyError as error:
            raise InputFileError(f"{path} is HDF5, but no store that emod-rt prepare made") from error
        except ValidationError as error:
            raise InputFileError(
                f"{path} is no store that this version reads ({error.errors()[0]['msg']}); prepare it again"
            ) from error
    if path.stat().st_size < first + 4 * int(np.prod(shape)):
        raise InputFileError(f"{path} is cut short, {path.stat().st_size} bytes; prepare it again")
    windows = np.memmap(path, dtype="<f4", mode="r", offset=first, shape=shape)
    return Store(path=path, manifest=manifest, windows=windows, **columns)
