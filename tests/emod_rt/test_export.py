"""Exports: what other programs read is what was recorded, to the sample, and holes stay holes."""

import csv
import json
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import edfio
import mne
import mne_bids
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from emod_model.errors import UsageError
from emod_rt import cli
from emod_rt.estimate import Estimate
from emod_rt.export import export_recording
from emod_rt.markers import Marker, MarkerStream
from emod_rt.readers import read_recording
from emod_rt.recording.recorder import Recorder
from emod_rt.sources.base import Chunk, Metadata, StreamInfo, runs
from tests.emod_rt.doubles import ManualClock
from tests.emod_rt.lsl_help import until
from tests.emod_rt.programs import run, start
from tests.emod_rt.recordings import NAMES, brainlike, write_csv

KEPT = np.delete(np.arange(2610), np.r_[500:540, 1200:1500])
FIRST_S = 100.25
CUES = MarkerStream(Metadata("Cues", "Markers"))
CODES = MarkerStream(Metadata("Codes", "Markers"), "int32")
MARKERS = [(250, "happy film", CUES), (251, 'a, "b" (c', CUES), (520, "in the hole", CUES), (2000, 7, CODES)]


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Path:
    """A recording as the program makes it: two holes, a channel without values, markers, estimates."""
    path, clock = tmp_path_factory.mktemp("ours") / "sub-07_ses-2_task-film_run-3_eeg.xdf", ManualClock()
    desc = "<desc><acquisition><manufacturer>OpenBCI</manufacturer></acquisition></desc>"
    info = StreamInfo("Cyton", 250.0, NAMES, simulated=True, metadata=Metadata("Cyton", "EEG", "x", desc))
    recorder = Recorder(
        path, info, clock, SimpleNamespace(name="emod-0", sha256="f" * 64, simulated=True, unvalidated=())
    )
    data = brainlike(6, KEPT.size / 250).astype(np.float32) + np.float32(61_000)
    data[2, 700:760] = np.nan
    for rows in runs(KEPT):
        recorder.push(Chunk(int(KEPT[rows.start]), data[:, rows], FIRST_S + KEPT[rows] / 250, 0.0))
    for sample, value, stream in MARKERS:
        recorder.push(Marker(FIRST_S + sample / 250, (value,), stream))
    for at, index in enumerate(range(749, 2610, 125)):
        row = (None,) * 4 if at == 2 else (0.1 * at, -0.25, 0.3, 0.4)
        recorder.push(Estimate(FIRST_S + index / 250, index, *row, "gap" if at == 2 else None, 1.0))
    recorder.close()
    return path


@pytest.fixture(scope="module")
def recording(ours):
    return read_recording(ours)


def same(again, recording, step=0.0):
    """Another format read back by our own reader: the very same recording."""
    assert again.sfreq == recording.sfreq
    assert again.channels == recording.channels
    assert again.simulated == recording.simulated or again.path.suffix == ".csv"
    np.testing.assert_array_equal(again.index, recording.index)
    np.testing.assert_allclose(again.data, recording.data, rtol=0, atol=step)
    np.testing.assert_allclose(again.times - again.times[0], recording.times - recording.times[0], atol=1e-6)


def samples(recording):
    return [(round((t - recording.times[0]) * recording.sfreq), text) for t, text in recording.markers]


def test_the_recording_is_what_the_tests_below_rely_on(recording):
    assert recording.lost == 340
    assert samples(recording) == [(sample, str(text)) for sample, text, _ in MARKERS]
    assert recording.affect.values.shape == (15, 5)
    np.testing.assert_allclose(recording.affect.times, FIRST_S + np.arange(749, 2610, 125) / 250)


# -- CSV


def test_csv_holds_every_value_to_the_bit_and_jumps_over_holes(tmp_path, recording):
    done = export_recording(recording, "csv", tmp_path / "a.csv")
    again = read_recording(done.path)
    same(again, recording)
    np.testing.assert_array_equal(again.times, recording.times)
    table = pd.read_csv(done.path)
    assert list(table.columns) == ["time", "sample_index", *NAMES, "marker"]
    np.testing.assert_array_equal(table["sample_index"], KEPT)
    np.testing.assert_array_equal(table[list(NAMES)].to_numpy(np.float32).T, recording.data)
    # what was marked while nothing was acquired stands at the next sample there is
    assert table["marker"].dropna().to_dict() == {
        250: "happy film",
        251: 'a, "b" (c',
        500: "in the hole",
        1660: "7",
    }


def test_the_table_of_markers_has_their_own_times_and_streams(tmp_path, recording):
    export_recording(recording, "csv", tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a_markers.csv")
    assert list(table["sample"]) == [sample for sample, _, _ in MARKERS]
    assert list(table["trial_type"]) == [str(text) for _, text, _ in MARKERS]
    assert list(table["stream"]) == ["Cues", "Cues", "Cues", "Codes"]
    np.testing.assert_allclose(table["onset"], [sample / 250 for sample, _, _ in MARKERS], atol=1e-8)
    said = json.loads((tmp_path / "a.json").read_text())
    assert said["Holes"] == [[500, 40], [1200, 300]]
    assert said["Simulated"] is True
    assert said["Columns"]["Fp1"]["Units"] == "µV"


@pytest.mark.parametrize("name", ["a.csv", "a.edf", "a.fif"])
def test_estimates_come_as_a_table_that_says_they_are_simulated(tmp_path, recording, name):
    export_recording(recording, name[2:], tmp_path / name)
    table = pd.read_csv(tmp_path / "a_affect.csv")
    assert list(table["sample"]) == list(range(749, 2610, 125))
    np.testing.assert_array_equal(
        table[["valence", "arousal", "valence_sd", "arousal_sd"]].to_numpy(), recording.affect.values[:, :4]
    )
    assert list(table["valid"]) == [1, 1, 0] + [1] * 12
    assert table["simulated"].all()
    said = json.loads((tmp_path / "a_affect.json").read_text())
    assert (said["Model"], said["ModelSHA256"], said["Simulated"]) == ("emod-0", "f" * 64, True)
    assert set(table.columns) <= set(said)


def test_an_axis_that_was_never_held_against_people_is_marked_in_the_description(tmp_path, recording):
    marked = replace(recording, affect=replace(recording.affect, unvalidated=("valence",)))
    export_recording(marked, "csv", tmp_path / "a.csv")
    said = json.loads((tmp_path / "a_affect.json").read_text())
    assert said["NotValidatedOnPeople"] == ["valence"]
    assert said["valence"]["Description"].startswith("NOT VALIDATED ON PEOPLE. From -1, unpleasant")
    assert "VALIDATED" not in said["arousal"]["Description"]


# -- FIF


def test_fif_holds_every_value_to_the_bit_and_marks_what_is_none(tmp_path, recording):
    done = export_recording(recording, "fif", tmp_path / "a_eeg.fif")
    again = read_recording(done.path)
    same(again, recording)
    assert samples(again) == samples(recording)
    raw = mne.io.read_raw_fif(done.path, verbose="error")
    notes = [
        (note["description"], round(note["onset"] * 250), round(note["duration"] * 250))
        for note in raw.annotations
    ]
    assert [note for note in notes if note[0].startswith("BAD_")] == [
        ("BAD_ACQ_SKIP", 500, 40),
        ("BAD_MISSING", 740, 60),
        ("BAD_ACQ_SKIP", 1200, 300),
    ]
    assert raw.annotations[int(raw.annotations.description.tolist().index("BAD_MISSING"))]["ch_names"] == (
        "C3",
    )
    # a hole is held, never a step that filters would ring on
    held = raw.get_data(picks="C4")[0] * 1e6
    assert (held[500:540] == held[499]).all()
    assert "SIMULATED" in raw.info["description"]


def test_mne_filters_a_fif_piece_by_piece(tmp_path, recording):
    export_recording(recording, "fif", tmp_path / "a_eeg.fif")
    raw = mne.io.read_raw_fif(tmp_path / "a_eeg.fif", preload=True, verbose="error")
    whole = raw.copy().filter(1, 40, verbose="error").get_data()
    alone = raw.copy().crop(0, 499 / 250).filter(1, 40, verbose="error").get_data()
    np.testing.assert_allclose(whole[:, :500], alone, atol=1e-12)


# -- EDF+ and BDF+


@pytest.mark.parametrize(("suffix", "step"), [("edf", 0.005), ("bdf", 0.004)])
def test_edf_is_within_its_step_and_bdf_within_that_of_float32(tmp_path, recording, suffix, step):
    done = export_recording(recording, "edf", tmp_path / f"a.{suffix}")
    again = read_recording(done.path)
    same(again, recording, step)
    assert samples(again) == samples(recording)
    assert any("rounded to steps of" in note for note in done.notes)
    assert any("140 samples fill the last data record" in note for note in done.notes)


@pytest.mark.parametrize("suffix", ["edf", "bdf"])
def test_edf_opens_in_mne_and_edfio_with_all_its_annotations(tmp_path, recording, suffix):
    path = export_recording(recording, "edf", tmp_path / f"a.{suffix}").path
    read, reader = (
        (edfio.read_bdf, mne.io.read_raw_bdf) if suffix == "bdf" else (edfio.read_edf, mne.io.read_raw_edf)
    )
    file, raw = read(path), reader(path, verbose="error")
    assert file.labels == NAMES
    np.testing.assert_allclose(file.signals[0].data[:500], recording.data[0, :500], atol=0.005)
    np.testing.assert_allclose(raw.get_data()[1, 540:1200] * 1e6, recording.data[1, 500:1160], atol=0.005)
    found = [(round(note.onset * 250), note.text) for note in file.annotations]
    assert found == [
        (250, "happy film"),
        (251, 'a, "b" (c'),
        (500, "BAD_ACQ_SKIP"),
        (520, "in the hole"),
        (740, "BAD_MISSING@@C3"),
        (1200, "BAD_ACQ_SKIP"),
        (2000, "7"),
        (2610, "BAD_ACQ_SKIP"),
    ]
    assert raw.annotations.ch_names[list(raw.annotations.description).index("BAD_MISSING")] == ("C3",)
    assert "SIMULATED" in file.local_recording_identification
    assert file.local_patient_identification == "X X X X"


def test_the_16_bits_of_edf_are_said_where_they_are_too_few(tmp_path, shared_data):
    recording = read_recording(next((shared_data / "openbci_cyton").glob("*.txt")))
    done = export_recording(recording, "edf", tmp_path / "a.edf")
    assert any(
        "17.2 mV" in note and "0.26 µV" in note and ".bdf keeps 24 bits" in note for note in done.notes
    )
    same(read_recording(done.path), recording, 0.14)
    # nothing is clipped, and an offset of 60 mV costs BDF nothing
    same(read_recording(export_recording(recording, "edf", tmp_path / "a.bdf").path), recording, 0.006)


@pytest.mark.parametrize("sfreq", [128.0, 220.0, 249.9, 256.0, 512.3, 1000 / 3])
@pytest.mark.parametrize("suffix", ["edf", "bdf"])
def test_edf_keeps_any_rate_or_says_how_near_it_comes(tmp_path, sfreq, suffix):
    times = 5 + np.arange(3000) / sfreq
    recording = read_recording(write_csv(tmp_path / "a.csv", times, brainlike(6, 12)))
    done = export_recording(recording, "edf", tmp_path / f"a.{suffix}")
    again = read_recording(done.path)
    assert again.sfreq == pytest.approx(recording.sfreq, rel=1e-6)
    assert again.index.size == 3000
    assert (again.sfreq == recording.sfreq) != any("the rate is stored as" in note for note in done.notes)


def test_a_data_record_stays_within_what_edf_allows(tmp_path):
    from emod_rt.export.edf import record_size

    for sfreq, channels, width in ((2048.0, 256, 2), (250.0, 16, 2), (1000.0, 1024, 3), (16_000.0, 64, 3)):
        size, seconds = record_size(sfreq, channels, width)
        assert size * channels * width <= 61_440
        assert size / seconds == sfreq
        assert len(f"{seconds:.8g}") <= 8


# -- BIDS


def validate(root: Path, *options: str) -> list[str]:
    """Errors and warnings of the official validator, which brings its schema with it."""
    program = Path(sys.executable).with_name("bids-validator-deno")
    if not program.exists():
        pytest.skip("no bids-validator-deno here; pip install bids-validator-deno")
    done = subprocess.run(
        [program, root, "--format", "json", *options],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    return [issue["code"] for issue in issues if issue["severity"] == "error"] + (
        ["exit"] if done.returncode else []
    )


def bids_path(root: Path, **entities) -> mne_bids.BIDSPath:
    given = {"subject": "07", "session": "2", "task": "film", "run": "3"} | entities
    return mne_bids.BIDSPath(root=root, datatype="eeg", suffix="eeg", extension=".vhdr", **given)


def test_a_bids_dataset_passes_the_validator_and_comes_back_through_mne_bids(tmp_path, recording):
    done = export_recording(recording, "bids", tmp_path / "new" / "set")
    root = tmp_path / "new" / "set"
    assert done.path == root / "sub-07/ses-2/eeg/sub-07_ses-2_task-film_run-3_eeg.vhdr"
    assert validate(root, "--recursive") == []
    raw = mne_bids.read_raw_bids(bids_path(root), verbose="error")
    np.testing.assert_array_equal((raw.get_data() * 1e6).astype(np.float32)[:, KEPT][:2], recording.data[:2])
    same(read_recording(done.path), recording)
    notes = [(round(note["onset"] * 250), note["description"]) for note in raw.annotations]
    assert notes == [
        (250, "happy film"),
        (251, 'a, "b" (c'),
        (500, "BAD_ACQ_SKIP"),
        (520, "in the hole"),
        (740, "BAD_MISSING"),
        (1200, "BAD_ACQ_SKIP"),
        (2000, "7"),
    ]


def test_bids_says_what_is_known_and_nothing_else(tmp_path, recording):
    stem = str(export_recording(recording, "bids", tmp_path / "set").path).removesuffix("_eeg.vhdr")
    said = json.loads(Path(f"{stem}_eeg.json").read_text())
    assert said["Manufacturer"] == "OpenBCI"
    assert said["EEGReference"] == said["PowerLineFrequency"] == said["SoftwareFilters"] == "n/a"
    assert said["RecordingType"] == "continuous"
    assert said["RecordingDuration"] == pytest.approx(2610 / 250)
    assert said["Simulated"] is True
    assert "SIMULATED" in said["SubjectArtefactDescription"]
    channels = pd.read_csv(f"{stem}_channels.tsv", sep="\t", keep_default_na=False)
    assert list(channels["name"]) == list(NAMES)
    assert set(channels["units"]) == {"µV"}
    assert set(channels["low_cutoff"]) == set(channels["high_cutoff"]) == set(channels["status"]) == {"n/a"}
    people = pd.read_csv(tmp_path / "set/participants.tsv", sep="\t", keep_default_na=False)
    assert people.iloc[0].tolist() == ["sub-07"] + ["n/a"] * (people.shape[1] - 1)
    described = json.loads((tmp_path / "set/dataset_description.json").read_text())
    assert [made["Name"] for made in described["GeneratedBy"]] == ["emod-rt"]
    assert not list((tmp_path / "set").rglob("*electrodes*")), "no position was measured"


def test_the_name_of_a_file_does_not_follow_it_into_a_dataset(tmp_path):
    """Names of files name people."""
    path = write_csv(tmp_path / "Ada_Lovelace.csv", np.arange(2000) / 250, brainlike())
    export_recording(read_recording(path), "bids", tmp_path / "set", subject="01")
    for file in (tmp_path / "set").rglob("*"):
        assert "Lovelace" not in file.name
        assert file.is_dir() or b"Lovelace" not in file.read_bytes()


def test_in_bids_the_estimates_are_a_derivative(tmp_path, recording):
    export_recording(recording, "bids", tmp_path / "set")
    stem = (
        tmp_path / "set/derivatives/emod-rt/sub-07/ses-2/eeg/sub-07_ses-2_task-film_run-3_desc-affect_events"
    )
    with stem.with_suffix(".tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert rows[2]["valence"] == "n/a"
    assert rows[2]["valid"] == "0"
    assert float(rows[3]["valence"]) == recording.affect.values[3, 0]
    assert {row["simulated"] for row in rows} == {"true"}
    assert json.loads(stem.with_suffix(".json").read_text())["Simulated"] is True


def test_a_dataset_grows_and_keeps_what_it_had(tmp_path, recording, shared_data):
    root = tmp_path / "set"
    eegmat = read_recording(shared_data / "eegmat" / "Subject00_2.edf")
    export_recording(eegmat, "bids", root, subject="01", task="arithmetic")
    (root / "dataset_description.json").write_text(
        '{"Name": "mine", "BIDSVersion": "1.10.0", "Authors": ["Me"]}'
    )
    people = root / "participants.tsv"
    people.write_text("participant_id\tage\tgroup\nsub-01\t30\tx\n")
    export_recording(recording, "bids", root)
    second = export_recording(eegmat, "bids", root, subject="01", task="arithmetic")
    assert second.path.name == "sub-01_task-arithmetic_run-2_eeg.vhdr"
    assert any("is there already, so this is run 2" in note for note in second.notes)
    assert people.read_text() == "participant_id\tage\tgroup\nsub-01\t30\tx\nsub-07\tn/a\tn/a\n"
    assert json.loads((root / "dataset_description.json").read_text())["Name"] == "mine"
    assert len((root / "sub-01/sub-01_scans.tsv").read_text().splitlines()) == 3
    assert validate(root) == []
    with pytest.raises(UsageError, match="run-3 is there already and is not overwritten"):
        export_recording(recording, "bids", root)


@pytest.mark.parametrize("kind", ["a file", "another folder"])
def test_a_folder_that_is_no_dataset_is_left_alone(tmp_path, recording, kind):
    root = tmp_path / "mine"
    if kind == "a file":
        root.write_text("x")
    else:
        (root / "letters").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"mine (is a file|holds files but no dataset_description)"):
        export_recording(recording, "bids", root)
    assert [path.name for path in tmp_path.rglob("*")] in (["mine"], ["mine", "letters"])


def test_whose_recording_it_is_must_be_said(tmp_path, shared_data):
    recording = read_recording(shared_data / "muse_states" / "S2_confused_3.csv.gz")
    with pytest.raises(UsageError, match=r"does not say whose recording .* --subject 01"):
        export_recording(recording, "bids", tmp_path / "set")
    with pytest.raises(UsageError, match="letters and digits"):
        export_recording(recording, "bids", tmp_path / "set", subject="a/../b")
    assert not list(tmp_path.iterdir())
    done = export_recording(recording, "bids", tmp_path / "set", subject="S2")
    assert done.path.name == "sub-S2_task-unnamed_eeg.vhdr"
    same(read_recording(done.path), recording)
    assert validate(tmp_path / "set") == []


# -- every format


@pytest.mark.parametrize("to", ["csv", "fif", "edf"])
def test_real_recordings_come_back_the_same(tmp_path, shared_data, to):
    for name, step in (("muse_states/S2_confused_3.csv.gz", 0.006), ("eegmat/Subject00_2.edf", 0.006)):
        recording = read_recording(shared_data / name)
        done = export_recording(recording, to, tmp_path / f"{recording.name[:4]}.{to}")
        again = read_recording(done.path)
        same(again, recording, step if to == "edf" else 0.0)
        if to == "csv":
            np.testing.assert_array_equal(again.times, recording.times)


@pytest.mark.parametrize("to", ["csv", "fif", "edf", "bids"])
def test_exports_are_their_owners_alone_and_leave_nothing_else(tmp_path, recording, to):
    done = export_recording(recording, to, tmp_path / "deep" / "er" / ("set" if to == "bids" else f"a.{to}"))
    there = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(done.files) == sorted(there)
    assert {stat.S_IMODE(path.stat().st_mode) for path in there} == {0o600}
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize(
    ("to", "name"), [("csv", "a.csv"), ("csv", "a_affect.csv"), ("edf", "a.edf"), ("fif", "a.fif")]
)
def test_nothing_is_overwritten(tmp_path, recording, to, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=f"{name} is there already"):
        export_recording(recording, to, tmp_path / f"a.{to}")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, recording):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be written \(.*\); choose another place"):
        export_recording(recording, "csv", tmp_path / "file" / "a.csv")
    with pytest.raises(UsageError, match=r"does not end in \.edf or \.bdf"):
        export_recording(recording, "edf", tmp_path / "a.txt")


def test_a_day_of_hole_is_not_filled(tmp_path):
    index = np.concatenate([np.arange(2000) + at * 700_000 for at in range(20)])
    recording = read_recording(write_csv(tmp_path / "a.csv", index / 250, brainlike(6, 160)))
    with pytest.raises(UsageError, match=r"13262000 lost ones, too many to fill; export it with --to csv"):
        export_recording(recording, "fif", tmp_path / "a.fif")
    assert read_recording(export_recording(recording, "csv", tmp_path / "b.csv").path).lost == recording.lost


def test_the_command_says_what_it_wrote(ours, tmp_path):
    words = [
        "export-recording",
        str(ours),
        "--to",
        "bids",
        "--out",
        str(tmp_path / "set"),
        "--channels",
        "C3,O1",
    ]
    told = CliRunner().invoke(cli.app, words, catch_exceptions=False)
    assert told.exit_code == 0
    assert "run-3_eeg.vhdr: 2 electrodes, 2,270 samples, 340 lost, 4 markers" in told.stderr
    with pytest.raises(UsageError, match="leave them out of --to csv"):
        CliRunner().invoke(
            cli.app,
            ["export-recording", str(ours), "--to", "csv", "--out", str(tmp_path / "a.csv"), "--task", "x"],
            catch_exceptions=False,
        )


def test_a_file_that_is_no_recording_ends_with_exit_code_3_and_one_sentence(tmp_path):
    (tmp_path / "a.edf").write_bytes(b"0       " + bytes(300))
    done = run(
        "export-recording", str(tmp_path / "a.edf"), "--to", "csv", "--out", str(tmp_path / "b" / "b.csv")
    )
    assert done.returncode == 3
    assert done.stderr.strip().splitlines()[-1].startswith("emod-rt: ")
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.edf"]


def test_an_export_that_is_stopped_leaves_nothing_behind(tmp_path):
    write_csv(tmp_path / "long.csv", np.arange(250_000) / 250, brainlike(6, 1000))
    out = tmp_path / "new"
    program = start(
        "export-recording", str(tmp_path / "long.csv"), "--to", "csv", "--out", str(out / "a.csv")
    )
    until(lambda: out.exists() and any(out.rglob("*.csv")), 120)
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=120)
    assert program.returncode == 2
    assert err.strip().splitlines()[-1] == (
        "emod-rt: stopped before it was done, so nothing was written; start it again"
    )
    assert list(out.iterdir()) == []
