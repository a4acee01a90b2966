"""From the text of --source to a source."""

from pathlib import Path

import numpy as np
import pytest

from emod_model.errors import InputFileError, UsageError
from emod_rt.sources.file import FileSource
from emod_rt.sources.uri import open_source
from tests.emod_rt.recordings import brainlike, write_csv


@pytest.mark.parametrize(
    "text",
    ["", "Cyton", "lsl:", "file:", "sim:", "usb:1", "sim", ":", "http://x", "C:\\recordings\\a.edf", "  "],
)
def test_a_text_that_names_no_source_gets_the_forms(text):
    with pytest.raises(UsageError) as caught:
        open_source(text)
    assert "file:PATH" in str(caught.value)
    assert "sim:SEED" in str(caught.value)


@pytest.mark.parametrize("text", ["sim:x", "sim:-1", "sim:1.5", "sim:²"])
def test_a_seed_is_a_whole_number(text):
    with pytest.raises(UsageError, match="sim:7"):
        open_source(text)


@pytest.mark.parametrize(
    "text",
    [
        "file:a.csv?rate=",
        "file:a.csv?rate=fast",
        "file:a.csv?speed=2",
        "file:a.csv?rate",
        "file:a.csv?rate=1&rate=2",
    ],
)
def test_a_file_takes_only_a_rate(text):
    with pytest.raises(UsageError):
        open_source(text)


def test_a_chunk_has_at_least_one_sample():
    with pytest.raises(UsageError, match="0"):
        open_source("file:a.csv", chunk=0)


def test_a_simulated_person_and_a_stream_open_as_their_own_kinds():
    from emod_rt.sources.lsl import LSLSource
    from emod_rt.sources.sim import SimSource

    assert isinstance(open_source("sim:7"), SimSource)
    assert isinstance(open_source("SIM:7"), SimSource)
    assert isinstance(open_source("lsl:type=EEG,source_id=abc"), LSLSource)


def test_a_board_gets_its_parameters():
    from emod_rt.sources.brainflow import BrainFlowSource

    assert isinstance(open_source("brainflow:synthetic"), BrainFlowSource)
    with pytest.raises(UsageError):
        open_source("brainflow:cyton?serial_port")


def test_a_rate_after_the_path_reaches_the_reader(tmp_path: Path):
    path = tmp_path / "plain.csv"
    path.write_text("\n".join(f"{a:.3f},{b:.3f}" for a, b in brainlike(2).T))
    source = open_source(f"file:{path}?rate=220", ["AF7", "AF8"])
    assert source.open(0).sfreq == 220.0
    source.close()


def test_a_file_whose_name_has_a_question_mark_is_that_file(tmp_path: Path):
    write_csv(tmp_path / "who?rate=9.csv", np.arange(2000) / 250, brainlike())
    source = open_source(f"file:{tmp_path}/who?rate=9.csv")
    assert source.open(0).sfreq == 250.0
    source.close()


def test_nothing_is_opened_before_open():
    source = open_source("file:/nowhere/at/all.edf")
    assert isinstance(source, FileSource)
    with pytest.raises(InputFileError, match="no such file"):
        source.open(0)
    source.close()
    source.close()
