"""SEED, SEED-IV, SEED-V, SEED-VII, FACED and MPED: numbers of trials, rows that are no scalp, and labels."""

import shutil
import struct

import numpy as np
import pytest
from scipy.io import loadmat

from emod_model.affect.vocabulary import vocabulary
from emod_model.corpora import CORPORA, open_corpus, seed_iv
from emod_model.corpora.caps import FACED_30, NEUROSCAN_62
from emod_model.corpora.cnt import read_cnt
from emod_model.errors import InputFileError, UsageError
from emod_model.montage import published_id
from tests.emod_model.corpora import made
from tests.emod_model.corpora.reading import refusal, trials


def test_every_corpus_is_opened_by_its_name_whatever_its_spelling(tmp_path):
    made.seed_iv(tmp_path, sessions=[1], trials=1)
    assert open_corpus("SEED_IV", tmp_path).name == "seed-iv"
    with pytest.raises(UsageError, match=r"'seeds' is no corpus known here; name one of amigos, .*seed-vii"):
        open_corpus("seeds", tmp_path)
    with pytest.raises(InputFileError, match=r"absent: no such folder; give the folder that holds seed"):
        open_corpus("seed", tmp_path / "absent")


@pytest.mark.parametrize("name", sorted(set(CORPORA) - {"bids"}))
def test_an_empty_folder_is_refused_with_what_should_be_there(tmp_path, name):
    with pytest.raises(InputFileError, match=str(tmp_path)):
        open_corpus(name, tmp_path)


def test_the_cerebellar_pair_has_places_in_the_published_table():
    assert [published_id(name) for name in ("CB1", "CB2")] == [11, 12]
    assert {"CB1", "CB2"} <= set(NEUROSCAN_62)


# --- SEED and SEED-IV


def test_seed_goes_by_the_numbers_of_its_variables_and_leaves_the_trailing_sample(tmp_path):
    files = ("10_20131211", "1_20131107", "1_20131027", "1_20131030")
    made.seed(tmp_path, files, trials=15, seconds=1)
    corpus = open_corpus("seed", tmp_path)
    assert corpus.subjects() == ("1", "10")
    found = list(corpus.trials("1"))
    assert [(trial.session, trial.trial) for trial in found] == [
        (str(session), str(n)) for session in (1, 2, 3) for n in range(1, 16)
    ]
    # the first session is that of the earliest date
    path = tmp_path / "Preprocessed_EEG" / "1_20131027.mat"
    known = loadmat(path)
    names = [name for name in known if not name.startswith("__")]
    assert names != sorted(names, key=lambda name: int(name.split("eeg")[1]))
    for trial in found[:15]:
        raw = known[f"djc_eeg{trial.trial}"]
        assert raw.shape[1] % 200 == 1
        np.testing.assert_array_equal(trial.eeg, raw[:, :-1].astype(np.float32))
    words = {1: "positive", 0: "neutral", -1: "negative"}
    assert [trial.label for trial in found] == [words[code] for code in made.SEED_LABELS] * 3
    # the same clips in every session
    assert [trial.stimulus for trial in found] == [f"clip {n}" for n in range(1, 16)] * 3
    assert (found[0].channels, found[0].sfreq, found[0].ratings) == (NEUROSCAN_62, 200.0, None)
    assert not corpus.notes


def test_seed_follows_its_own_label_file_and_does_without(tmp_path):
    made.seed(tmp_path, trials=2, seconds=1)
    path = tmp_path / "Preprocessed_EEG" / "label.mat"
    made.save(path, label=-np.array([made.SEED_LABELS]))
    corpus, found = trials("seed", tmp_path)
    assert [trial.label for trial in found] == ["negative", "neutral"]
    assert corpus.notes["label.mat differs from the published labels, and is followed"] == 1
    assert corpus.notes["1_20131027.mat lacks trials 3, 4, 5, 6, 7, 8, 9, 10 ..."] == 1
    path.unlink()
    corpus, found = trials("seed", tmp_path)
    assert [trial.label for trial in found] == ["positive", "neutral"]
    assert corpus.notes["no label.mat; the published labels stand in for it"] == 1


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        (np.full((1, 15), np.nan), "label[0] is nan, no class of seed"),
        (np.full((1, 15), 0.5), "label[0] is 0.5, no class of seed"),
        (np.full((1, 15), 2), "label[0] is 2.0, no class of seed"),
        (np.zeros((1, 14)), "label is an array (1, 14)"),
    ],
)
def test_wrong_labels_of_seed_are_named(tmp_path, label, wanted):
    made.seed(tmp_path, trials=1, seconds=1)
    made.save(tmp_path / "Preprocessed_EEG" / "label.mat", label=label)
    assert wanted in refusal("seed", tmp_path)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (np.zeros((401, 62)), "djc_eeg1 has shape (401, 62), not (62, samples)"),
        (made.noise((14, 401)), "djc_eeg1 has shape (14, 401), not (62, samples)"),
        (np.full((62, 401), np.inf), "djc_eeg1 is inf at channel 0, sample 0"),
        ("a text", "djc_eeg1 is str, not numbers"),
        (np.zeros((62, 401)), "djc_eeg1 has a median channel deviation of 0,"),
        (made.cells([1.0]), "djc_eeg1 is list, not numbers"),
    ],
    ids=["turned", "rows", "infinite", "text", "flat", "cell"],
)
def test_a_wrong_variable_of_seed_is_named(tmp_path, value, wanted):
    made.save(tmp_path / "Preprocessed_EEG" / "1_20131027.mat", djc_eeg1=value)
    assert wanted in refusal("seed", tmp_path)


def test_features_in_place_of_signals_are_told(tmp_path):
    made.save(tmp_path / "1_20131027.mat", de_LDS1=np.zeros((62, 4, 5)))
    assert "holds de_LDS1, no trials' EEG; give the folder of the signals" in refusal("seed", tmp_path)


def test_seed_in_volts_becomes_microvolts(tmp_path):
    made.save(tmp_path / "1_20131027.mat", djc_eeg1=made.noise((62, 401)) * 1e-6)
    _, found = trials("seed", tmp_path)
    assert found[0].eeg.std() == pytest.approx(made.UV, rel=0.02)


def test_seed_iv_has_labels_and_clips_of_each_session(tmp_path):
    made.seed_iv(tmp_path, seconds=1)
    corpus, found = trials("seed-iv", tmp_path)
    assert len(found) == 72
    words = vocabulary("seed-iv")
    assert [trial.label for trial in found] == [
        words.word(code) for session in "123" for code in seed_iv.CODES[session]
    ]
    assert [trial.label for trial in found[:4]] == ["sad", "fear", "happy", "neutral"]
    assert len({trial.stimulus for trial in found}) == 72
    assert all(trial.eeg.shape[1] % 200 == 0 for trial in found)
    raw = loadmat(tmp_path / "eeg_raw_data" / "2" / "1_20160512.mat")["cz_eeg11"]
    np.testing.assert_array_equal(found[24 + 10].eeg, raw[:, :-1].astype(np.float32))
    assert not corpus.notes


# --- SEED-VII


def test_seed_vii_has_eighty_clips_by_number_and_labels_by_clip(tmp_path):
    made.seed_vii(tmp_path)
    _, found = trials("seed-vii", tmp_path)
    assert [trial.trial for trial in found] == [str(n) for n in range(1, 81)]
    assert [trial.session for trial in found] == [s for s in "1234" for _ in range(20)]
    assert [trial.label for trial in found[:5]] == ["happy", "neutral", "disgust", "sad", "anger"]
    assert [found[at].label for at in (20, 22, 24, 41, 79)] == [
        "anger",
        "fear",
        "surprise",
        "surprise",
        "disgust",
    ]
    np.testing.assert_array_equal(found[9].eeg, made.noise((62, 200), 10).astype(np.float32))
    # twelve films of each emotion and eight of none
    labels = [trial.label for trial in found]
    assert {word: labels.count(word) for word in labels} == dict.fromkeys(labels, 12) | {"neutral": 8}


def test_a_clip_that_cannot_be_is_refused(tmp_path):
    made.save(tmp_path / "1.mat", **{"81": made.noise((62, 200))})
    assert "81 is trial 81 of a session of 80" in refusal("seed-vii", tmp_path)


# --- SEED-V


def test_seed_v_is_cut_by_its_table_without_mastoids_and_eyes(tmp_path):
    made.seed_v(tmp_path, ("1_2_20180410", "1_1_20180404"))
    corpus, found = trials("seed-v", tmp_path)
    assert [(trial.session, trial.trial) for trial in found] == [
        (s, str(n)) for s in "12" for n in range(1, 16)
    ]
    assert [trial.label for trial in found[:5]] == ["happy", "fear", "neutral", "sad", "disgust"]
    assert [trial.label for trial in found[15:18]] == ["sad", "fear", "neutral"]
    assert len({trial.stimulus for trial in found}) == 30
    first = found[0]
    assert (first.channels, first.sfreq, first.start_s) == (NEUROSCAN_62, 4.0, 30.0)
    assert first.eeg.shape == (62, 72 * 4)
    # the rows hold 10,000 microvolts times their place in the file
    places = np.round(first.eeg.mean(1) / 10_000).astype(int)
    assert [made.SEED_V_LABELS[place] for place in places] == list(NEUROSCAN_62)
    assert not {"M1", "M2", "VEO", "HEO"} & {made.SEED_V_LABELS[place] for place in places}
    assert not corpus.notes


def test_the_repaired_twin_of_seed_v_is_read(tmp_path):
    made.seed_v(tmp_path, ("7_1_20180411", "7_1_20180411_repaired"), seconds=110)
    corpus, found = trials("seed-v", tmp_path)
    repaired = read_cnt(tmp_path / "EEG_raw" / "7_1_20180411_repaired.cnt")
    np.testing.assert_array_equal(found[0].eeg[0], repaired.microvolts(120, 408, [0])[0])
    assert corpus.files("7") == (repaired.path,)
    assert corpus.notes["7_1_20180411_repaired.cnt is read in place of 7_1_20180411.cnt"] == 1
    # and the recording ended early
    assert [trial.trial for trial in found] == ["1"]
    missing = ", ".join(str(clip) for clip in range(2, 16))
    assert corpus.notes[f"7_1_20180411_repaired.cnt ends before these clips do, passed over: {missing}"] == 1


def test_the_same_session_twice_is_refused(tmp_path):
    made.seed_v(tmp_path, ("7_1_20180411", "7_1_20180412"), seconds=1)
    assert "7_1_20180411.cnt is the same session; keep one of them" in refusal("seed-v", tmp_path)


def test_mne_reads_the_same_from_the_cnt(tmp_path):
    import mne

    data = made.noise((66, 400), 0, np.int32)
    path = made.cnt(tmp_path / "a.cnt", data, made.SEED_V_LABELS, 200, calibration=0.75, baseline=12)
    ours = read_cnt(path).microvolts(10, 400, list(range(66)))
    np.testing.assert_allclose(ours, (data[:, 10:] - 12) * 2.048 * 0.75 / 204.8, rtol=1e-6)
    raw = mne.io.read_raw_cnt(path, data_format="int32", verbose="error")
    np.testing.assert_allclose(ours, raw.get_data(start=10) * 1e6, rtol=1e-5)


@pytest.mark.parametrize(
    ("at", "form", "value", "wanted"),
    [
        (370, "<H", 0, "a header of 0 channels"),
        (370, "<H", 9999, "a header of 9999 channels"),
        (376, "<H", 0, "channels at 0 Hz"),
        (886, "<i", 2**31 - 1, "is cut short, "),
        (894, "<i", 40, "in blocks of 40 bytes"),
        (900 + 59, "<f", float("nan"), "channel FP1 has sensitivity nan"),
        (900 + 71, "<f", 0.0, "and calibration 0, which give no microvolts"),
        (900, "10s", b"XX", "channel Fp1 is not among its 66"),
    ],
)
def test_a_wrong_header_of_a_cnt_is_named(tmp_path, at, form, value, wanted):
    made.seed_v(tmp_path, seconds=110)
    path = tmp_path / "EEG_raw" / "1_1_20180804.cnt"
    blob = bytearray(path.read_bytes())
    struct.pack_into(form, blob, at, value)
    path.write_bytes(blob)
    said = refusal("seed-v", tmp_path)
    assert "1_1_20180804.cnt: " in said
    assert wanted in said


# --- FACED


def test_faced_drops_what_is_no_scalp_and_orders_ratings_by_clip(tmp_path):
    made.faced(tmp_path)
    corpus, found = trials("faced", tmp_path)
    assert corpus.subjects() == ("sub000",)
    assert [trial.stimulus for trial in found] == [f"clip {n}" for n in range(1, 29)]
    assert found[0].channels == FACED_30
    assert not {"A1", "A2"} & set(found[0].channels)
    assert (found[0].sfreq, found[0].baseline_s, found[0].eeg.shape) == (250.0, 0.0, (30, 500))
    data = made.noise((28, 32, 500), 0)
    np.testing.assert_array_equal(found[27].eeg, data[27, :30].astype(np.float32))
    for clip, trial in enumerate(found, start=1):
        assert trial.ratings == pytest.approx(
            {"arousal": (0.1 * clip - 3.5) / 3.5, "valence": (0.2 * clip - 3.5) / 3.5}
        )
    labels = [trial.label for trial in found]
    assert labels[:6] == ["anger"] * 3 + ["disgust"] * 3
    assert labels[12:16] == ["neutral"] * 4
    assert labels[-3:] == ["tenderness"] * 3
    assert corpus.files("sub000")[1].name == "After_remarks.mat"


def test_faced_lies_as_deep_as_it_was_unpacked(tmp_path):
    made.faced(tmp_path / "FACED")
    _, found = trials("faced", tmp_path)
    assert found[0].ratings is not None


def test_faced_of_true_length_needs_no_note_and_lives_without_ratings(tmp_path):
    made.faced(tmp_path, samples=7500, dtype=np.float32)
    shutil.rmtree(tmp_path / "Data")
    corpus, found = trials("faced", tmp_path)
    assert found[0].eeg.shape == (30, 7500)
    assert found[0].ratings is None
    assert corpus.notes == {"no After_remarks.mat, so no ratings": 1}


def test_a_resampled_copy_of_faced_is_refused(tmp_path):
    made.faced(tmp_path, samples=3000)
    assert "clips of 3000 samples, 30 s at 100 Hz, where FACED has 7500 at 250 Hz" in refusal(
        "faced", tmp_path
    )


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"vid": 29}, "After_remark[3].vid is 29, no clip of 1 to 28"),
        ({"vid": 1.5}, "After_remark[3].vid is 1.5, no clip"),
        ({"vid": "one"}, "After_remark[3].vid is str, no clip"),
        ({"score": np.full((1, 12), np.nan)}, "After_remark[3].score, valence nan"),
        ({"score": np.full((1, 12), 8.0)}, "After_remark[3].score, valence 8"),
        ({"score": np.zeros((1, 9))}, "After_remark[3].score is an array (1, 9)"),
    ],
)
def test_wrong_remarks_of_faced_are_named(tmp_path, change, wanted):
    made.faced(tmp_path, samples=20)
    path = tmp_path / "Data" / "sub000" / "After_remarks.mat"
    record = loadmat(path)["After_remark"]
    for field, value in change.items():
        record[field][3, 0] = value
    made.save(path, After_remark=record)
    said = refusal("faced", tmp_path)
    assert "After_remarks.mat: " in said
    assert wanted in said


def test_a_clip_rated_twice_is_refused(tmp_path):
    made.faced(tmp_path, samples=20)
    path = tmp_path / "Data" / "sub000" / "After_remarks.mat"
    record = loadmat(path)["After_remark"]
    record["vid"][5, 0] = record["vid"][2, 0]
    made.save(path, After_remark=record)
    assert "which is rated twice" in refusal("faced", tmp_path)


@pytest.mark.parametrize("shape", [(28, 30, 20), (27, 32, 20), (28, 32), (28, 32, 0)])
def test_a_wrong_shape_of_faced_is_named(tmp_path, shape):
    import pickle

    made.faced(tmp_path, samples=20)
    (tmp_path / "Processed_data" / "sub000.pkl").write_bytes(pickle.dumps(np.ones(shape)))
    assert f"the pickle is an array {shape} of float64, not (28, 32, 7500)" in refusal("faced", tmp_path)


# --- MPED


def test_mped_drops_the_mastoids_and_goes_by_eeg_label(tmp_path):
    made.mped(tmp_path)
    corpus, found = trials("mped", tmp_path)
    assert corpus.subjects() == ("liuwei",)
    words = vocabulary("mped")
    kept = [(n, code) for n, code in enumerate(made.MPED_LABELS, start=1) if code != 8]
    assert [(trial.trial, trial.label) for trial in found] == [(str(n), words.word(code)) for n, code in kept]
    assert corpus.notes == {"a filler between the clips, passed over": 4}
    for trial in found[:2]:
        raw = made.noise((66, 1000), int(trial.trial))[:64]
        np.testing.assert_array_equal(trial.eeg, np.delete(raw, [32, 42], axis=0).astype(np.float32))
    assert not any((trial.eeg == 7777).any() for trial in found)
    assert (found[0].channels, found[0].sfreq) == (NEUROSCAN_62, 1000.0)
    # rest is baseline from beginning to end, and no stimulus
    assert [(trial.trial, trial.baseline_s, trial.stimulus) for trial in found if trial.label == "rest"] == [
        ("1", 1.0, None),
        ("18", 1.0, None),
    ]
    assert all(trial.baseline_s == 0 for trial in found if trial.label != "rest")


def test_labels_of_mped_without_the_fillers_are_put_in_place(tmp_path):
    short = [code for code in made.MPED_LABELS if code != 8]
    made.mped(tmp_path, trials=range(1, 18), labels=short)
    corpus, found = trials("mped", tmp_path)
    words = vocabulary("mped")
    assert [trial.label for trial in found] == [
        words.word(code) for code in made.MPED_LABELS[:17] if code != 8
    ]
    assert any("30 entries" in note for note in corpus.notes)
    assert corpus.notes["liuwei has 17 of 34 trials"] == 1


def test_wrong_files_of_mped_are_named(tmp_path):
    made.mped(tmp_path, trials=[3])
    folder = tmp_path / "raw_EEG_signals"
    good = np.array([made.MPED_LABELS])
    for labels, wanted in (
        (good[:, :20], "eeg_label is an array (1, 20)"),
        (good + 5, "eeg_label[3] is 9.0, no class of mped"),
    ):
        made.save(folder / "raw_EEG_Label.mat", eeg_label=labels)
        assert wanted in refusal("mped", tmp_path)
    made.save(folder / "raw_EEG_Label.mat", eeg_label=good)
    made.save(folder / "liuwei" / "liuwei_d.mat", raw_eeg3=made.noise((62, 1000)))
    assert "liuwei_d.mat: raw_eeg3 has shape (62, 1000), not (64, samples)" in refusal("mped", tmp_path)
    made.save(folder / "liuwei" / "liuwei_d.mat", raw_eeg3=made.noise((64, 1000)))
    made.save(folder / "liuwei" / "liuwei_dd.mat", raw_eeg3=made.noise((64, 1000)))
    assert "raw_eeg3 is there twice" in refusal("mped", tmp_path)
    (folder / "raw_EEG_Label.mat").unlink()
    assert "holds no raw_EEG_Label.mat" in refusal("mped", tmp_path)
