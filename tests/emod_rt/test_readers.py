"""Recordings in the formats users have."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emod_model.errors import InputFileError, UsageError
from emod_rt.readers import read_recording
from tests.emod_rt.recordings import (
    COUNTER,
    DATA,
    EIGHT,
    NAMES,
    TIMES,
    brainlike,
    whole,
    write_csv,
    write_edf,
    write_openbci,
    write_set,
    write_xdf,
)

KINDS = (".csv", ".edf", ".bdf", "_eeg.fif", ".vhdr", ".set", ".xdf", ".txt")


def refusal(path: Path) -> str | None:
    """What the reader says against a file; any error of another kind passes through."""
    try:
        read_recording(path)
    except InputFileError as error:
        return str(error)
    return None


# -- every format


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_microvolts(tmp_path, kind):
    recording = read_recording(whole(kind, tmp_path))
    truth = EIGHT if kind == ".txt" else DATA
    assert recording.data.dtype == np.float32
    np.testing.assert_allclose(recording.data, truth, atol=0.06)
    assert recording.sfreq == 250.0
    assert recording.lost == 0
    assert recording.segments == [(0, 0, 2000)]
    assert (np.diff(recording.times) > 0).all()
    if kind != ".txt":
        assert recording.channels == NAMES


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != ".vhdr"])
def test_gzip_is_seen_by_content(tmp_path, kind):
    plain = whole(kind, tmp_path)
    packed = tmp_path / f"packed{kind}.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    np.testing.assert_array_equal(read_recording(packed).data, read_recording(plain).data)


@pytest.mark.parametrize(
    ("kind", "marker"),
    [
        (".edf", (2.0, "eyes closed")),
        (".bdf", (2.0, "eyes closed")),
        ("_eeg.fif", (3.0, "start")),
        (".vhdr", (2.0, "Stimulus/S  7")),
        (".set", (2.0, "blink")),
        (".xdf", (1e9 + 1.5, "happy film")),
        (".txt", (1e9 + 1.2, "7")),
    ],
)
def test_markers_lie_on_the_scale_of_the_times(tmp_path, kind, marker):
    assert [(round(t, 6), text) for t, text in read_recording(whole(kind, tmp_path)).markers] == [marker]


@pytest.mark.parametrize("kind", KINDS)
def test_channels_select_and_reorder_by_name(tmp_path, kind):
    path = whole(kind, tmp_path)
    if kind == ".txt":
        wanted = ["O1", "O2", "Cz", "Pz", "C3", "C4", "F3", "F4"]
        assert read_recording(path, wanted).channels == tuple(wanted)
        return
    recording = read_recording(path, ["o2", "Fp1", "C3"])
    assert recording.channels == ("O2", "Fp1", "C3")
    np.testing.assert_allclose(recording.data, DATA[[5, 0, 2]], atol=0.06)


# -- what is no recording


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("harm", ["cut", "flip", "hole", "empty"])
def test_a_damaged_file_is_refused_in_one_sentence_or_read(tmp_path, kind, harm):
    path = whole(kind, tmp_path)
    blob = path.read_bytes()
    rng = np.random.default_rng(KINDS.index(kind))
    refused = 0
    # each try of .set costs a process
    tries = 1 if harm == "empty" else 3 if kind == ".set" else 12
    for part in range(tries):
        harmed = bytearray(blob)
        if harm == "cut":
            harmed = harmed[: max(1, len(blob) * part // tries)]
        elif harm == "flip":
            for at in rng.integers(0, min(len(blob), 2000) if part % 2 else len(blob), 12):
                harmed[at] ^= 1 << int(rng.integers(8))
        elif harm == "hole":
            at = int(rng.integers(0, min(len(blob), 2000) if part % 2 else len(blob)))
            harmed[at : at + 300] = rng.bytes(int(rng.integers(0, 300)))
        else:
            harmed = bytearray()
        path.write_bytes(bytes(harmed))
        sentence = refusal(path)
        if sentence is not None:
            refused += 1
            assert str(path) in sentence
            assert "\n" not in sentence
    if harm in ("cut", "empty"):
        assert refused


def test_what_is_not_there_is_said(tmp_path):
    for path, said in ((tmp_path / "absent.edf", "no such file"), (tmp_path, "folder")):
        with pytest.raises(InputFileError, match=said):
            read_recording(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("noise.csv", bytes(range(256)) * 20),
        ("noise.dat", b"\x89PNG\r\n\x1a\n" + bytes(500)),
        ("words.csv", b"dear diary,\ntoday nothing happened\n"),
        ("one.csv", b"5\n6\n7\n"),
        ("header.csv", b"timestamps,TP9,AF7\n"),
        ("data.npy", b"\x93NUMPY" + bytes(100)),
        ("fake.edf", b"timestamps,TP9,AF7\n1,2,3\n"),
        ("fake.xdf", b"hello"),
        ("fake.set", b"\x89HDF\r\n\x1a\n" + bytes(100)),
        ("fake.fif", bytes(100)),
        ("part.vmrk", b"Brain Vision Data Exchange Marker File, Version 1.0\n"),
        ("part.eeg", bytes(100)),
        ("not.csv.gz", b"\x1f\x8b" + bytes(40)),
        ("blank.txt", b"\n\n\n"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=name):
        read_recording(path)


def test_a_format_under_another_name_is_named(tmp_path):
    path = whole(".edf", tmp_path).rename(tmp_path / "renamed.csv")
    with pytest.raises(InputFileError, match=r"the content is EDF; rename it to end in \.edf"):
        read_recording(path)


def test_a_gzip_cut_short_is_refused(tmp_path):
    packed = gzip.compress(whole(".csv", tmp_path).read_bytes())
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputFileError, match="cut short"):
        read_recording(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t, d: (t, d[:1]), "electrode"),
        (lambda t, d: (t, np.full_like(d, np.nan)), "missing"),
        (lambda t, d: (t, np.zeros_like(d)), "flat"),
        (lambda t, d: (t, d * 1e6), "neither in volts"),
        (lambda t, d: (np.zeros_like(t), d), "stands still"),
        (lambda t, d: (t[::-1], d), "backwards"),
        (lambda t, d: (np.where(t > t[1000], t - 2, t), d), "goes back"),
        (lambda t, d: (np.arange(2000) / 5, d), "no rate"),
        (lambda t, d: (t[:4], d[:, :4]), "only 4 samples"),
    ],
    ids=["one electrode", "nan", "flat", "huge", "no clock", "backwards", "set back", "5 Hz", "four rows"],
)
def test_what_cannot_be_eeg_is_refused(tmp_path, change, said):
    times, data = change(TIMES, DATA)
    with pytest.raises(InputFileError, match=said):
        read_recording(write_csv(tmp_path / "odd.csv", times, data, NAMES[: len(data)]))


def test_two_columns_of_one_electrode_are_refused(tmp_path):
    names = ("T3", "T7", "C3", "C4", "O1", "O2")
    with pytest.raises(InputFileError, match="T7"):
        read_recording(write_csv(tmp_path / "twice.csv", TIMES, DATA, names))


def test_a_channel_the_file_does_not_have_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"Oz.*Fp1, Fp2"):
        read_recording(whole(".csv", tmp_path), ["Fp1", "Oz"])


# -- CSV


def test_lost_samples_are_holes_at_their_place(tmp_path):
    kept = np.delete(np.arange(2000), slice(500, 540))
    recording = read_recording(write_csv(tmp_path / "a.csv", TIMES[kept], DATA[:, kept]))
    np.testing.assert_array_equal(recording.index, kept)
    assert recording.segments == [(0, 0, 500), (540, 500, 1960)]
    assert recording.lost == 40
    assert any("40 samples lost (160 ms), after row 499" in note for note in recording.notes)


@pytest.mark.parametrize("name", ["time", "t", "Time (s)", "LSL", "lsl_timestamp", "unix time", "TimeStamp"])
@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
def test_a_time_column_in_any_unit_under_any_usual_name(tmp_path, name, scale):
    times = np.round(np.arange(2000) / 256 * scale, 6)
    recording = read_recording(write_csv(tmp_path / "a.csv", times, DATA, time_name=name))
    assert recording.sfreq == 256.0
    assert recording.times[-1] == pytest.approx(1999 / 256)


def test_dates_and_blank_rows_of_mind_monitor(tmp_path):
    rows = ["TimeStamp,Delta_TP9,RAW_TP9,RAW_AF7,AUX_RIGHT,Battery,Elements"]
    for at in range(1000):
        stamp = f"2024-05-01 10:00:{at / 256:06.3f}"
        if at == 500:
            rows.append(f"{stamp},,,,,,/muse/elements/blink")
        rows.append(f"{stamp},0.5,{800 + DATA[0, at]:.3f},{810 + DATA[1, at]:.3f},0,88,")
    path = tmp_path / "mindMonitor.csv"
    path.write_text("\n".join(rows))
    recording = read_recording(path)
    assert recording.channels == ("TP9", "AF7")
    assert recording.sfreq == 256.0
    assert recording.index.size == 1000


def test_semicolons_and_decimal_commas(tmp_path):
    rows = ["time;C3;C4", *(f"{t:.6f};{a:.3f};{b:.3f}" for t, a, b in zip(TIMES, *DATA[:2], strict=True))]
    path = tmp_path / "german.csv"
    path.write_text("\n".join(rows).replace(".", ","))
    np.testing.assert_allclose(read_recording(path).data, DATA[:2], atol=0.001)


def test_volts_are_found_without_a_declaration(tmp_path):
    path = tmp_path / "volts.csv"
    rows = (f"{t:.6f},{a:.9f},{b:.9f}" for t, a, b in zip(TIMES, *DATA[:2] * 1e-6, strict=True))
    path.write_text("\n".join(["time,C3,C4", *rows]))
    recording = read_recording(path)
    np.testing.assert_allclose(recording.data, DATA[:2], atol=0.01)
    assert any("read as V" in note for note in recording.notes)


def test_an_empty_cell_is_missing_and_a_word_is_an_error_with_its_line(tmp_path):
    path = write_csv(tmp_path / "a.csv", TIMES, DATA)
    lines = path.read_text().splitlines()
    cells = lines[100].split(",")
    lines[100] = ",".join([*cells[:3], "", *cells[4:]])
    path.write_text("\n".join(lines))
    assert np.argwhere(np.isnan(read_recording(path).data)).tolist() == [[2, 99]]
    lines[100] = ",".join([*cells[:3], "oops", *cells[4:]])
    path.write_text("\n".join(lines))
    with pytest.raises(InputFileError, match="line 101, column 4: 'oops'"):
        read_recording(path)


def test_a_last_line_cut_short_is_left_out_with_a_note(tmp_path):
    path = write_csv(tmp_path / "a.csv", TIMES, DATA)
    path.write_text(path.read_text()[:-20])
    recording = read_recording(path)
    assert recording.index.size == 1999
    assert any("cut short" in note for note in recording.notes)


def test_without_header_the_error_says_how(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text("\n".join(",".join(f"{v:.3f}" for v in row) for row in DATA.T))
    with pytest.raises(InputFileError, match=r"PATH\?rate=.*--channels"):
        read_recording(path)
    with pytest.raises(InputFileError, match=r"without a header; name the columns with --channels$"):
        read_recording(path, None, 220.0)
    with pytest.raises(InputFileError, match=r"as in PATH\?rate=256$"):
        read_recording(path, NAMES)
    recording = read_recording(path, NAMES, 220.0)
    assert recording.sfreq == 220.0
    assert recording.times[0] == 0.0
    with pytest.raises(UsageError, match=r"names 2 electrodes.*has 6"):
        read_recording(path, ["C3", "C4"], 220.0)


@pytest.mark.parametrize("kind", [".csv", ".edf", ".xdf", ".txt"])
def test_a_rate_that_contradicts_the_file_is_a_usage_error(tmp_path, kind):
    path = whole(kind, tmp_path)
    assert read_recording(path, rate=250.0).sfreq == 250.0
    with pytest.raises(UsageError, match=r"220.*250"):
        read_recording(path, rate=220.0)


def test_a_counter_gives_rate_and_holes(tmp_path):
    kept = np.delete(np.arange(1280), slice(300, 310))
    path = write_csv(
        tmp_path / "emotiv.csv",
        None,
        np.vstack([kept % 128, DATA[:2, kept] + 4200]),
        ("COUNTER", "AF3", "AF4"),
    )
    recording = read_recording(path)
    assert recording.sfreq == 128.0
    np.testing.assert_array_equal(recording.index, kept)


def test_emotiv_pro_with_its_line_before_the_header(tmp_path):
    rows = [
        "title: rest,start timestamp: 1600000000.1,stop timestamp: 1600000015,headset type: EPOCX",
        "Timestamp,EEG.Counter,EEG.Interpolated,EEG.AF3,EEG.T7,EEG.Battery,CQ.AF3,MarkerIndex,POW.AF3.Theta",
    ]
    kept = np.delete(np.arange(1500), slice(600, 900))
    rows += [
        f"{1.6e9 + at / 128:.6f},{at % 128},0,{4200 + DATA[0, at]:.3f},{4100 + DATA[1, at]:.3f},80,4,,0.5"
        for at in kept
    ]
    path = tmp_path / "pro.csv"
    path.write_text("\n".join(rows))
    recording = read_recording(path)
    assert recording.channels == ("AF3", "T7")
    assert recording.sfreq == 128.0
    np.testing.assert_array_equal(recording.index, kept)


def test_emotiv_tells_an_event_in_three_columns_of_which_one_is_the_marker(tmp_path):
    rows = ["Timestamp,EEG.AF3,EEG.T7,MarkerIndex,MarkerType,MarkerValueInt"]
    for at in range(1000):
        marker = "3,1,170512345" if at == 400 else ",,"
        rows.append(f"{1.6e9 + at / 128:.6f},{4200 + DATA[0, at]:.3f},{4100 + DATA[1, at]:.3f},{marker}")
    path = tmp_path / "pro.csv"
    path.write_text("\n".join(rows))
    assert read_recording(path).markers == [(pytest.approx(1.6e9 + 400 / 128, abs=1e-5), "170512345")]


# -- OpenBCI


@pytest.mark.parametrize("version", [4, 5])
def test_openbci_losses_are_exact_beyond_the_counters_turn(tmp_path, version):
    kept = np.delete(np.arange(6000), np.r_[1000:1003, 2000:2600])
    data = brainlike(8, 24.0)[:, kept] + 40_000
    path = write_openbci(tmp_path / "OpenBCI-RAW.txt", data, kept % 256, 1e9 + kept / 250, version)
    recording = read_recording(path)
    np.testing.assert_array_equal(recording.index, kept)
    np.testing.assert_allclose(recording.data, data, atol=0.01)
    assert recording.channels == ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")
    assert any("assumed" in note and "--channels" in note for note in recording.notes)


def test_openbci_of_another_size_needs_its_names(tmp_path):
    path = write_openbci(tmp_path / "ganglion.txt", EIGHT[:4], COUNTER, TIMES)
    with pytest.raises(InputFileError, match="--channels Fp1,Fp2,C3,C4"):
        read_recording(path)
    assert read_recording(path, ["Cz", "Pz", "Oz", "Fz"]).channels == ("Cz", "Pz", "Oz", "Fz")
    with pytest.raises(UsageError, match=r"names 2 electrodes.*has 4"):
        read_recording(path, ["Cz", "Pz"])


def test_a_daisy_has_sixteen(tmp_path):
    path = write_openbci(
        tmp_path / "daisy.txt",
        brainlike(16),
        np.arange(2000) * 2 % 256,
        1e9 + np.arange(2000) / 125,
        rate=125,
    )
    recording = read_recording(path)
    assert recording.sfreq == 125.0
    assert recording.lost == 0
    assert recording.channels[8:] == ("F7", "F8", "F3", "F4", "T7", "T8", "P3", "P4")


# -- EDF and its kin


@pytest.mark.parametrize("unit", ["uV", "mV", "V", "", "nV"])
def test_edf_in_any_unit_or_none(tmp_path, unit):
    factor = {"uV": 1.0, "mV": 1e-3, "V": 1e-6, "": 1.0, "nV": 1e3}[unit]
    recording = read_recording(write_edf(tmp_path / "a.edf", DATA * factor, unit=unit))
    np.testing.assert_allclose(recording.data, DATA, atol=0.05)


def test_edf_cut_short_says_how_much_is_there(tmp_path):
    path = whole(".edf", tmp_path)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(InputFileError, match="cut short: 6 of 8 data records"):
        read_recording(path)


def test_edf_that_was_never_closed_is_read_with_a_note(tmp_path):
    path = whole(".edf", tmp_path)
    blob = bytearray(path.read_bytes())
    blob[236:244] = b"-1      "
    path.write_bytes(bytes(blob))
    recording = read_recording(path)
    assert recording.index.size == 2000
    assert any("never closed" in note for note in recording.notes)


def test_edf_pauses_are_holes(tmp_path):
    path = whole(".edf", tmp_path)
    blob = path.read_bytes().replace(b"EDF+C", b"EDF+D", 1)
    for second in (7, 6, 5, 4):
        blob = blob.replace(b"+%d\x14\x14" % second, b"+%d\x14\x14" % (second + 2))
    path.write_bytes(blob)
    recording = read_recording(path)
    assert recording.segments == [(0, 0, 1000), (1500, 1000, 2000)]


def test_a_faster_ecg_beside_the_eeg_leaves_its_rate_alone(tmp_path):
    import edfio

    ecg = edfio.EdfSignal(np.sin(np.arange(8000) / 50), 1000, label="ECG", physical_dimension="mV")
    eeg = [
        edfio.EdfSignal(row, 250, label=f"EEG {name}-REF", physical_dimension="uV")
        for row, name in zip(DATA, NAMES, strict=True)
    ]
    edfio.Edf([ecg, *eeg]).write(tmp_path / "mixed.edf")
    recording = read_recording(tmp_path / "mixed.edf")
    assert recording.sfreq == 250.0
    assert recording.channels == NAMES
    np.testing.assert_allclose(recording.data, DATA, atol=0.05)
    assert any("ECG" in note for note in recording.notes)


def test_an_eeglab_cut_is_a_hole(tmp_path):
    path = write_set(tmp_path / "cut.set", DATA, event=("boundary", 501.0, 250.0))
    assert read_recording(path).segments == [(0, 0, 500), (750, 500, 2000)]


# -- XDF


def test_xdf_keeps_a_short_hole_that_smoothing_would_hide(tmp_path):
    kept = np.delete(np.arange(2000), slice(700, 750))
    recording = read_recording(write_xdf(tmp_path / "a.xdf", TIMES[kept], DATA[:, kept]))
    np.testing.assert_array_equal(recording.index, kept)


def test_xdf_with_jittery_stamps_has_no_hole(tmp_path):
    stamps = np.maximum.accumulate(TIMES + np.random.default_rng(2).exponential(0.003, TIMES.size))
    assert read_recording(write_xdf(tmp_path / "a.xdf", stamps, DATA)).lost == 0


def test_xdf_of_a_simulated_person_says_so(tmp_path):
    assert read_recording(write_xdf(tmp_path / "a.xdf", TIMES, DATA, simulated=True)).simulated
    assert not read_recording(write_xdf(tmp_path / "b.xdf", TIMES, DATA)).simulated


def test_xdf_in_volts(tmp_path):
    recording = read_recording(write_xdf(tmp_path / "a.xdf", TIMES, DATA * 1e-6, unit="volts"))
    np.testing.assert_allclose(recording.data, DATA, rtol=1e-4, atol=1e-3)


def test_xdf_with_two_headsets_asks(tmp_path):
    with pytest.raises(InputFileError, match="'Headset 0', 'Headset 1'"):
        read_recording(write_xdf(tmp_path / "a.xdf", TIMES, DATA, streams=2))


def test_xdf_without_eeg_lists_what_it_has(tmp_path):
    with pytest.raises(InputFileError, match=r"Headset 0.*Accelerometer"):
        read_recording(write_xdf(tmp_path / "a.xdf", TIMES, DATA, kind="Accelerometer"))


def test_xdf_cut_short_is_read_with_a_note(tmp_path):
    path = whole(".xdf", tmp_path)
    path.write_bytes(path.read_bytes()[:40_000])
    recording = read_recording(path)
    assert 0 < recording.index.size < 2000
    assert any("cut short" in note for note in recording.notes)


def test_a_text_that_is_no_table_is_refused_without_showing_what_it_holds(tmp_path):
    path = tmp_path / "shadow"
    path.write_text("root:$6$secret:19000::::\ndaemon:*:19000::::\n")
    with pytest.raises(InputFileError, match="line 1 is not numbers in columns; give") as caught:
        read_recording(path)
    assert "secret" not in str(caught.value)


def test_the_smallest_example_of_xdf_is_too_slow_to_be_eeg(shared_data):
    with pytest.raises(InputFileError, match=r"10 Hz, .*; give a recording of EEG"):
        read_recording(shared_data / "xdf_minimal" / "minimal.xdf")


# -- real recordings


def test_cyton(shared_data):
    path = next((shared_data / "openbci_cyton").glob("*.txt"))
    recording = read_recording(path)
    assert recording.data.shape == (8, 22_490)
    assert recording.sfreq == 250.0
    assert recording.lost == 0
    assert recording.data[0, 0] == pytest.approx(61_379.36, abs=0.01)
    assert recording.times[0] == pytest.approx(1557936053.329)


def test_insight(shared_data):
    paths = sorted((shared_data / "insight_eyes").rglob("*.csv.gz"))
    assert len(paths) == 10
    for path in paths:
        recording = read_recording(path)
        assert recording.channels == ("AF3", "T7", "Pz", "T8", "AF4")
        assert recording.sfreq == 128.0
        assert recording.lost == 0
        assert recording.markers


def test_muse_states_have_one_hole_among_them(shared_data):
    found = {}
    for path in sorted((shared_data / "muse_states").glob("*.csv.gz")):
        recording = read_recording(path)
        assert recording.channels == ("TP9", "AF7", "AF8", "TP10")
        assert recording.sfreq == 256.0
        if recording.lost:
            found[path.name] = recording
    assert list(found) == ["S2_confused_3.csv.gz"]
    recording = found["S2_confused_3.csv.gz"]
    assert recording.index[19_300] - recording.index[19_299] - 1 == 36
    assert recording.lost == 36
    assert any("59 rows repeat the row before" in note for note in recording.notes)


def test_muse_over_lsl_with_markers(shared_data):
    for path in sorted((shared_data / "muse_lsl_p300").glob("*.csv")):
        recording = read_recording(path)
        assert recording.sfreq == 256.0
        assert recording.lost == 0
        assert {text for _, text in recording.markers} == {"1", "2"}
        assert any("Right AUX" in note for note in recording.notes)


def test_muse_without_header(shared_data):
    recording = read_recording(
        shared_data / "muse_artifacts" / "clean.csv", ["TP9", "AF7", "AF8", "TP10"], 220.0
    )
    assert recording.data.shape == (4, 4471)
    assert 800 < float(recording.data.mean()) < 900


def test_eegmat(shared_data):
    recording = read_recording(shared_data / "eegmat" / "Subject00_2.edf")
    assert len(recording.channels) == 19
    assert recording.sfreq == 250.0
    assert {"T7", "T8", "P7", "P8"} <= set(recording.channels)
    assert any("A2-A1" in note and "ECG" in note for note in recording.notes)


def test_importing_the_readers_is_light():
    code = (
        "import sys, emod_rt.readers, emod_rt.sources.uri;"
        "print([m for m in ('mne', 'pyxdf', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
