"""A recording played as if it were live."""

import threading
from pathlib import Path

import numpy as np
import pytest

from emod_model.errors import InputFileError
from emod_rt.readers import read_recording
from emod_rt.sources.base import Chunk
from emod_rt.sources.file import FileSource
from tests.emod_rt.doubles import ManualClock
from tests.emod_rt.recordings import brainlike, write_csv

HOLE = (700, 125)  # first lost sample, samples lost: half a second


class StillClock(ManualClock):
    """Time that passes only when a test moves it."""

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return stop.is_set()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    index = np.delete(np.arange(2000), slice(HOLE[0], sum(HOLE)))
    return write_csv(tmp_path / "walk.csv", 1e9 + index / 250, brainlike(6, index.size / 250))


def drain(source: FileSource, timeout_s: float = 0.05) -> list[Chunk]:
    chunks: list[Chunk] = []
    while (new := source.read(timeout_s)) is not None:
        chunks += new
    return chunks


@pytest.mark.parametrize("chunk", [None, 1, 7, 100, 10_000])
@pytest.mark.parametrize("paced", [True, False])
def test_every_sample_comes_once_in_order_however_it_is_chunked(path, paced, chunk):
    source = FileSource(path, paced=paced, chunk=chunk, clock=ManualClock())
    source.open(0)
    recording = source.recording
    assert recording is not None
    chunks = drain(source)
    np.testing.assert_array_equal(np.concatenate([c.data for c in chunks], axis=1), recording.data)
    np.testing.assert_array_equal(np.concatenate([c.times for c in chunks]), recording.times)
    index = np.concatenate([c.first_index + np.arange(c.data.shape[1]) for c in chunks])
    np.testing.assert_array_equal(index, recording.index)
    assert source.read(0.0) is None


def test_a_chunk_has_the_samples_asked_for_and_never_spans_a_hole(path):
    source = FileSource(path, paced=False, chunk=64, clock=ManualClock())
    source.open(0)
    chunks = drain(source)
    short = [c for c in chunks if c.data.shape[1] != 64]
    assert [c.first_index + c.data.shape[1] for c in short] == [HOLE[0], 2000]
    assert HOLE[0] + HOLE[1] in [c.first_index for c in chunks]


def test_what_is_due_by_the_clock_is_delivered_and_nothing_earlier(path):
    clock = StillClock()
    source = FileSource(path, chunk=1, clock=clock)
    source.open(0)
    clock.time += 30.0  # the model warms up: the recording has not begun
    assert source.read(0.0) == []
    clock.time += 0.1
    chunks = source.read(0.0)
    assert chunks is not None
    assert len(chunks) == 25
    assert chunks[-1].arrival == clock.time
    assert source.read(0.0) == []


def test_a_hole_takes_its_time(path):
    clock = StillClock()
    source = FileSource(path, clock=clock)
    source.open(0)
    source.read(0.0)
    clock.time += HOLE[0] / 250
    before = source.read(0.0)
    assert before
    assert before[-1].first_index + before[-1].data.shape[1] == HOLE[0]
    clock.time += (HOLE[1] - 1) / 250
    assert source.read(0.0) == []
    clock.time += 0.05
    after = source.read(0.0)
    assert after
    assert after[0].first_index == sum(HOLE)


def test_ten_thousand_late_reads_do_not_drift(path):
    clock = StillClock()
    source = FileSource(path, chunk=1, clock=clock)
    source.open(0)
    source.read(0.0)
    began, seen = clock.time, 0
    rng = np.random.default_rng(3)
    while clock.time - began < 2.5:
        clock.time += float(rng.uniform(0.0001, 0.0007))
        seen += sum(c.data.shape[1] for c in source.read(0.0) or [])
    assert seen == int((clock.time - began) * 250 + 1e-6)


def test_a_reader_that_waits_gets_chunks_of_about_25_ms(path):
    clock = ManualClock()
    source = FileSource(path, clock=clock)
    source.open(0)
    sizes = [c.data.shape[1] for c in drain(source)]
    assert 5 <= np.median(sizes) <= 10
    assert clock.time - 100.0 == pytest.approx(2000 / 250, abs=0.01)


def test_missing_values_pass_through(tmp_path):
    data = brainlike()
    data[2, 900:950] = np.nan
    data[:, 1200] = np.nan
    source = FileSource(write_csv(tmp_path / "gaps.csv", np.arange(2000) / 250, data), paced=False)
    source.open(0)
    played = np.concatenate([c.data for c in drain(source)], axis=1)
    np.testing.assert_array_equal(np.isnan(played), np.isnan(data))


def test_closing_ends_it_and_can_be_done_twice(path):
    source = FileSource(path, paced=False)
    source.close()
    info = source.open(0)
    assert info.name == "file:walk.csv"
    assert info.sfreq == 250.0
    assert not info.simulated
    assert any("125 samples lost" in note for note in info.notes)
    source.close()
    source.close()
    assert source.read(0.0) is None


def test_a_file_that_cannot_be_read_fails_on_open_and_closes(tmp_path):
    source = FileSource(tmp_path / "absent.edf")
    with pytest.raises(InputFileError):
        source.open(0)
    source.close()


def test_a_real_recording_plays_with_its_hole(shared_data):
    path = shared_data / "muse_states" / "S2_confused_3.csv.gz"
    source = FileSource(path, paced=False, chunk=1000)
    source.open(0)
    chunks = drain(source)
    assert sum(c.data.shape[1] for c in chunks) == 75_791
    ends = [c.first_index + c.data.shape[1] for c in chunks]
    jumps = [(e, n.first_index - e) for e, n in zip(ends[:-1], chunks[1:], strict=True) if n.first_index != e]
    assert jumps == [(19_300, 36)]
    assert read_recording(path).lost == 36
