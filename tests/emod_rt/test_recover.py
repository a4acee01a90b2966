"""Recovering: every whole chunk of a damaged recording, in a new file that others' readers open."""

import json
import re
import stat
import struct
import time
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pytest
import pyxdf
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from emod_model.errors import InputFileError, UsageError
from emod_rt import cli
from emod_rt.estimate import Estimate
from emod_rt.readers import read_recording
from emod_rt.recording.recorder import Recorder
from emod_rt.recording.recover import recover
from emod_rt.recording.xdf import BOUNDARY_UUID, MAGIC, SAMPLES, chunk, file_header
from emod_rt.sources.base import StreamInfo
from tests.emod_rt.doubles import CHANNELS, ManualClock, chunks_of, eeg
from tests.emod_rt.programs import run

SAMPLES_IN_ALL, CHUNK = 9000, 25


def make() -> bytes:
    """A session of 36 s: EEG, estimates, clock offsets, boundaries, footers."""
    with TemporaryDirectory() as folder:
        path, clock = Path(folder) / "s.xdf", ManualClock()
        model = SimpleNamespace(name="emod", sha256="0" * 64, simulated=True, unvalidated=())
        recorder = Recorder(path, StreamInfo("Cyton", 250.0, CHANNELS), clock, model)
        for number, part in enumerate(chunks_of(eeg(SAMPLES_IN_ALL), CHUNK)):
            clock.time += CHUNK / 250
            recorder.push(part)
            if number % 5 == 4:
                recorder.push(Estimate(clock.time, number, 0.1, -0.2, 0.3, 0.4, None, 1.0))
        recorder.close()
        return path.read_bytes()


def chunks(data: bytes) -> list[tuple[int, int, int]]:
    """First byte, byte after the last, and tag of each chunk of a whole file."""
    at, found = 4, []
    while at < len(data):
        length, tag = struct.unpack_from("<xIH", data, at)
        found.append((at, at + 5 + length, tag))
        at += 5 + length
    return found


WHOLE = make()
EDGES = chunks(WHOLE)
HEADERS_END = EDGES[2][1]


def rows(path: Path) -> dict[str, np.ndarray]:
    streams, _ = pyxdf.load_xdf(str(path))
    assert all(stream["footer"] for stream in streams)
    return {stream["info"]["type"][0]: stream["time_series"] for stream in streams}


def sample_chunks(stop: int) -> int:
    """EEG chunks that lie whole before byte `stop`."""
    return sum(tag == SAMPLES and end <= stop and WHOLE[start + 7] == 1 for start, end, tag in EDGES)


def recovered(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    found = recover(path)
    assert path.read_bytes() == data
    assert found.path is not None
    return found.path


CUTS = sorted(
    {len(WHOLE) * part // 50 for part in range(1, 50)}
    | {edge + by for edge, _, _ in EDGES[3:12] + EDGES[-4:] for by in range(-2, 9)}
)


def test_wherever_a_recording_is_cut_only_the_torn_chunk_is_lost(tmp_path):
    for cut in CUTS:
        new = recovered(tmp_path / f"{cut}.xdf", WHOLE[:cut])
        kept = rows(new)["EEG"]
        assert len(kept) == CHUNK * sample_chunks(cut), cut
        np.testing.assert_array_equal(kept, eeg(SAMPLES_IN_ALL).T[: len(kept)])
        assert recover(new).path is None
        new.unlink()


@pytest.mark.parametrize("cut", range(4, HEADERS_END, 61))
def test_a_recording_cut_within_its_headers_keeps_what_streams_it_has_or_says_that_it_has_none(tmp_path, cut):
    path = tmp_path / "s.xdf"
    path.write_bytes(WHOLE[:cut])
    if cut < EDGES[1][1]:
        with pytest.raises(InputFileError, match=f"no whole stream header in its {cut} bytes.*; look for"):
            recover(path)
        assert list(tmp_path.iterdir()) == [path]
    else:
        assert list(rows(recover(path).path)) == ["EEG"]


def test_footers_tell_what_was_kept(tmp_path):
    new = recovered(tmp_path / "s.xdf", WHOLE[: len(WHOLE) // 2])
    streams, _ = pyxdf.load_xdf(str(new), synchronize_clocks=False, dejitter_timestamps=False)
    for stream in streams:
        footer = stream["footer"]["info"]
        assert int(footer["sample_count"][0]) == len(stream["time_stamps"]) > 0
        assert float(footer["first_timestamp"][0]) == stream["time_stamps"][0]
        assert float(footer["last_timestamp"][0]) == stream["time_stamps"][-1]


@pytest.mark.parametrize("byte", range(8))
def test_damage_in_the_middle_costs_no_more_than_the_way_to_the_next_boundary(tmp_path, byte):
    middle = [start for start, _, tag in EDGES if tag == SAMPLES][150]
    data = bytearray(WHOLE)
    data[middle + byte] ^= 0xFF
    boundary = data.find(BOUNDARY_UUID, middle)
    kept = rows(recovered(tmp_path / "s.xdf", bytes(data)))["EEG"]
    behind = sample_chunks(len(WHOLE)) - sample_chunks(boundary)
    assert behind > 50
    np.testing.assert_array_equal(kept[-CHUNK * behind :], eeg(SAMPLES_IN_ALL).T[-CHUNK * behind :])
    np.testing.assert_array_equal(
        kept[: CHUNK * sample_chunks(middle)], eeg(SAMPLES_IN_ALL).T[: CHUNK * sample_chunks(middle)]
    )


def test_a_stretch_that_is_missing_in_the_middle_costs_no_more_either(tmp_path):
    data = WHOLE[: len(WHOLE) // 3] + WHOLE[len(WHOLE) // 3 + 1000 :]
    kept = rows(recovered(tmp_path / "s.xdf", data))["EEG"]
    assert len(kept) > SAMPLES_IN_ALL / 2
    np.testing.assert_array_equal(kept[-CHUNK:], eeg(SAMPLES_IN_ALL).T[-CHUNK:])


def test_samples_without_time_stamps_and_text_are_measured(tmp_path):
    def header(number: int, kind: str, rate: str) -> bytes:
        xml = (
            f"<info><name>{kind}</name><type>{kind}</type><channel_count>1</channel_count>"
            f"<nominal_srate>{rate}</nominal_srate><channel_format>{kind}</channel_format></info>"
        )
        return chunk(2, struct.pack("<I", number) + xml.encode())

    stamped = b"\x08" + struct.pack("<d", 5.0)
    data = MAGIC + file_header() + header(7, "int16", "100") + header(9, "string", "0")
    data += chunk(3, struct.pack("<IBB", 7, 1, 3) + stamped + b"\x01\x00" + b"\x00\x02\x00" + b"\x00\x03\x00")
    data += chunk(3, struct.pack("<IBB", 9, 1, 1) + stamped + b"\x01\x05happy")
    assert recover_bytes(tmp_path, data) == (("int16", 3), ("string", 1))
    streams, _ = pyxdf.load_xdf(str(tmp_path / "t.recovered.xdf"), dejitter_timestamps=False)
    assert float(streams[0]["footer"]["info"]["last_timestamp"][0]) == pytest.approx(5.02)
    assert streams[1]["time_series"] == [["happy"]]


def recover_bytes(folder: Path, data: bytes) -> tuple[tuple[str, int], ...]:
    (folder / "t.xdf").write_bytes(data)
    return recover(folder / "t.xdf").samples


@settings(max_examples=150, deadline=2000)
@given(
    head=st.sampled_from([b"", MAGIC, MAGIC + BOUNDARY_UUID * 50, WHOLE[:HEADERS_END]]),
    parts=st.lists(
        st.one_of(
            st.binary(max_size=60),
            # chunks that claim any length
            st.builds(
                lambda width, length, tag, rest: bytes([width]) + length[:width] + bytes([tag, 0]) + rest,
                st.sampled_from([1, 4, 8]),
                st.binary(min_size=8, max_size=8),
                st.integers(0, 7),
                st.binary(max_size=40),
            ),
            # samples that claim any number
            st.binary(max_size=40).map(lambda body: chunk(SAMPLES, struct.pack("<I", 1) + body)),
            st.just(WHOLE[EDGES[20][0] : EDGES[24][1]]),
        ),
        max_size=8,
    ),
)
def test_any_bytes_give_a_file_that_opens_or_one_sentence(head, parts):
    data = head + b"".join(parts)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.xdf"
        path.write_bytes(data)
        tracemalloc.start()
        try:
            found = recover(path)
        except InputFileError as error:
            said = str(error)
            found = None
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        if found is None:
            assert re.fullmatch("[^\n]+; [^\n]+", said)
            assert list(Path(folder).iterdir()) == [path]
        else:
            assert 0 <= found.bytes_dropped < max(len(data), 1)
            pyxdf.load_xdf(str(found.path or path), dejitter_timestamps=False)
        # three times the largest block that is read, whatever lengths the bytes claim
        assert peak < 16 * 2**20


def test_chunks_that_claim_each_other_take_no_longer_than_chunks(tmp_path):
    data, size = bytearray(WHOLE[:HEADERS_END]), 2**21
    while len(data) < size - 1000:
        # each claims samples up to the end, where no chunk begins
        claim = struct.pack("<BIHIBI", 4, size - len(data) - 100, SAMPLES, 1, 4, 1)
        data += chunk(5, BOUNDARY_UUID) + claim
    started = time.process_time()
    recovered(tmp_path / "s.xdf", bytes(data))
    # 50,000 chunks; without a limit they are 50 GB to read
    assert time.process_time() - started < 10


def test_a_whole_recording_is_left_alone(tmp_path):
    path = tmp_path / "s.xdf"
    path.write_bytes(WHOLE)
    found = recover(path)
    assert (found.path, found.bytes_dropped) == (None, 0)
    assert found.samples == (("Cyton", SAMPLES_IN_ALL), ("Affect", 72))
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_file_is_its_owners_alone_and_overwrites_nothing(tmp_path):
    path = tmp_path / "s.xdf"
    new = recovered(path, WHOLE[:-300])
    assert new == tmp_path / "s.recovered.xdf"
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    new.write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"s\.recovered\.xdf is there already"):
        recover(path)
    assert new.read_bytes() == b"mine"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["s.recovered.xdf", "s.xdf"]


@pytest.mark.parametrize("what", ["none", "folder", "text"])
def test_what_is_no_xdf_is_one_sentence_and_exit_code_3(tmp_path, what):
    path = tmp_path / "s.xdf"
    if what == "folder":
        path.mkdir()
    elif what == "text":
        path.write_text("root:secret\n")
    done = run("recover", str(path))
    assert done.returncode == 3
    assert done.stderr.startswith(f"emod-rt: {path} ")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_the_command_says_what_it_kept(tmp_path):
    path = tmp_path / "s.xdf"
    path.write_bytes(WHOLE[: EDGES[100][0] + 30])
    told = CliRunner().invoke(cli.app, ["recover", str(path)], catch_exceptions=False)
    assert told.exit_code == 0
    assert f"Cyton {CHUNK * sample_chunks(EDGES[100][0]):,} samples" in told.stdout
    assert f"30 bytes of {path}" in told.stdout
    (tmp_path / "s.recovered.xdf").unlink()
    told = CliRunner().invoke(cli.app, ["recover", str(path), "--json"], catch_exceptions=False)
    found = json.loads(told.stdout)
    assert found["bytes_dropped"] == 30
    assert [stream["name"] for stream in found["streams"]] == ["Cyton", "Affect"]
    assert Path(found["path"]).is_file()


def test_a_cut_recording_is_read_as_far_as_it_is_whole_recovered_or_not(tmp_path):
    path = tmp_path / "s.xdf"
    # cut between a chunk's length and its tag
    path.write_bytes(WHOLE[: EDGES[200][0] + 6])
    cut = read_recording(path)
    assert "damaged: 6 bytes belong to no whole chunk and are left out" in cut.notes
    assert cut.data.shape[1] == CHUNK * sample_chunks(EDGES[200][0])
    np.testing.assert_array_equal(cut.data, read_recording(recover(path).path).data)
