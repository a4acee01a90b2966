"""What must be seen to before MNE opens a file, because MNE trusts it."""

import re
import subprocess
import sys
from pathlib import Path

from emod_model.errors import InputFileError
from emod_rt.readers.labels import why

_MOST_CHANNELS = 9999


def check_brainvision(path: Path) -> None:
    """See that a header names files beside it, nothing of elsewhere, and no millions of channels.

    Raises
    ------
    InputFileError
        A part lies elsewhere, or too many channels are claimed.
    """
    header = path.read_text(encoding="latin-1")
    for key, value in re.findall(
        r"^[ \t]*(DataFile|MarkerFile|NumberOfChannels)[ \t]*=[ \t]*(.*?)[ \t]*$", header, re.I | re.M
    ):
        if key.lower() == "numberofchannels":
            # MNE lists those that are missing, one by one
            if len(value) > len(str(_MOST_CHANNELS)):
                raise InputFileError(
                    f"{value[:20]} channels, more than any EEG cap has; check the header's NumberOfChannels"
                )
        elif re.search(r"[/\\]", value):
            raise InputFileError(
                f"its {key} {value!r} lies in another place; put the parts of a recording into one folder, "
                "and write their bare names in the header"
            )


def refuse_broken_mat(path: Path) -> None:
    """Try a MATLAB file in a process of its own: a damaged one can crash scipy's reader outright.

    Raises
    ------
    InputFileError
        It cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) == b"\x89HDF":
            raise InputFileError("a MATLAB 7.3 file; save it from EEGLAB again as version 6 or 7")
    code = "import sys, scipy.io; scipy.io.loadmat(sys.argv[1])"
    try:
        trial = subprocess.run(
            [sys.executable, "-I", "-c", code, str(path.resolve())],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InputFileError(
            "takes more than 5 minutes to read as EEGLAB; copy or export it again"
        ) from error
    if trial.returncode:
        *_, said = trial.stderr.decode(errors="replace").strip().splitlines() or ["the reader crashes"]
        raise InputFileError(
            f"cannot be read as EEGLAB ({why(said.partition(': ')[2] or said)}); copy or export it again"
        )
