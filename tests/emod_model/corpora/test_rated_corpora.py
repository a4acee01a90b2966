"""DEAP, DREAMER, AMIGOS, MAHNOB-HCI and MDME: ratings, baselines, units and whatever is missing."""

from collections import Counter

import numpy as np
import pytest
from scipy.io import loadmat

from emod_model.corpora.bdf import read_bdf
from emod_model.corpora.caps import BIOSEMI_32, EPOC_14, MDME_18
from emod_model.corpora.deap import DEAP
from emod_model.corpora.mdme import LENGTHS
from emod_model.errors import InputFileError, UsageError
from tests.emod_model.corpora import made
from tests.emod_model.corpora.reading import refusal, trials

# --- DEAP


def test_deap_has_valence_first_three_seconds_of_rest_and_the_scalp_alone(tmp_path):
    true = made.deap(tmp_path)
    made.deap_csv(tmp_path, true)
    corpus, found = trials("deap", tmp_path)
    assert corpus.subjects() == ("s01",)
    assert not [note for note in corpus.notes if "ratings" in note]
    assert [trial.stimulus for trial in found] == ["video 1", "video 2"]
    assert found[0].channels == BIOSEMI_32
    assert (found[0].sfreq, found[0].baseline_s) == (128.0, 3.0)
    assert found[0].eeg.shape == (32, 8064)
    data = made.noise((2, 40, 8064), 0)
    np.testing.assert_array_equal(found[1].eeg, data[1, :32].astype(np.float32))
    for trial, rated in zip(found, true[0], strict=True):
        assert trial.ratings == pytest.approx(
            {"valence": (rated[0] - 5) / 4, "arousal": (rated[1] - 5) / 4}, abs=1e-12
        )
        assert trial.label is None


def test_deap_without_baseline_has_none(tmp_path):
    made.deap(tmp_path, trials=1, samples=7680)
    _, found = trials("deap", tmp_path)
    assert found[0].baseline_s == 0
    assert found[0].eeg.shape == (32, 7680)


@pytest.mark.parametrize("table", ["csv", "xls"])
def test_a_reflected_copy_of_deap_is_put_right_from_the_official_ratings(tmp_path, table):
    true = made.deap(tmp_path, trials=3, samples=7680, reflected=[0, 2])
    if table == "csv":
        made.deap_csv(tmp_path, true)
    else:
        (tmp_path / "participant_ratings.xls").write_bytes(made.xls(made.deap_rows(true)))
    corpus, found = trials("deap", tmp_path)
    for trial, rated in zip(found, true[0], strict=True):
        assert trial.ratings == pytest.approx({"valence": (rated[0] - 5) / 4, "arousal": (rated[1] - 5) / 4})
    assert corpus.notes["valence was reflected (9 - rating) and is put right"] == 2
    assert corpus.notes["arousal was reflected (9 - rating) and is put right"] == 2
    table_path = next(tmp_path.rglob(f"participant_ratings.{table}"))
    assert table_path in corpus.files("s01")


def test_reflected_ratings_below_the_scale_are_refused_without_the_official_ones(tmp_path):
    made.deap(tmp_path, trials=1, samples=7680)
    path = tmp_path / "data_preprocessed_python" / "s01.dat"
    path.write_bytes(made.python2_pickle(data=made.noise((1, 40, 7680)), labels=np.array([[0.4, 5, 5, 5.0]])))
    said = refusal("deap", tmp_path)
    assert "s01.dat: labels[0], valence is 0.4, not a rating of 1 to 9" in said
    assert "participant_ratings.csv" in said


def test_deap_that_was_not_checked_says_so(tmp_path):
    made.deap(tmp_path, trials=1, samples=7680)
    corpus, _ = trials("deap", tmp_path)
    assert corpus.notes["no participant_ratings.csv or .xls, so ratings are not checked for reflected ones"]


def test_deap_that_contradicts_the_official_ratings_is_refused(tmp_path):
    true = made.deap(tmp_path, trials=2, samples=7680)
    other = true.copy()
    # arousal first: another common mistake
    other[..., [0, 1]] = other[..., [1, 0]]
    made.deap_csv(tmp_path, other)
    said = refusal("deap", tmp_path)
    assert f"labels[0], valence is {true[0, 0, 0]:g}, where participant_ratings.csv has" in said


@pytest.mark.parametrize(
    ("arrays", "field", "value"),
    [
        ({"data": np.ones((1, 40, 100)), "labels": np.ones((1, 4))}, "data", "(1, 40, 100)"),
        ({"data": np.ones((1, 14, 7680)), "labels": np.ones((1, 4))}, "data", "(1, 14, 7680)"),
        ({"data": np.ones((2, 32, 7680), "f4"), "labels": np.ones((1, 4))}, "labels", "(1, 4)"),
        ({"data": np.ones((1, 32, 7680), "f4")}, "labels", "absent"),
        ({"data": np.zeros((1, 32, 7680), "f4"), "labels": np.ones((1, 4))}, "data", "0,"),
        ({"data": np.full((1, 32, 7680), np.nan, "f4"), "labels": np.ones((1, 4))}, "data[0]", "nan"),
        ({"data": np.ones((1, 32, 7680), "f4"), "labels": np.full((1, 4), np.nan)}, "labels[0]", "nan"),
    ],
    ids=["length", "rows", "count", "no labels", "flat", "NaN signal", "NaN label"],
)
def test_a_wrong_shape_or_number_in_deap_is_named(tmp_path, arrays, field, value):
    path = tmp_path / "s01.dat"
    path.write_bytes(made.python2_pickle(**arrays))
    said = refusal("deap", tmp_path)
    assert "s01.dat: " in said
    assert field in said
    assert value in said


def test_a_damaged_table_of_deap_is_named(tmp_path):
    true = made.deap(tmp_path, trials=1, samples=7680)
    path = made.deap_csv(tmp_path, true)
    good = path.read_text()
    for text, wanted in (
        (good.replace("Valence", "Pleasure"), "no columns"),
        (good.replace("123456", "x").replace("1.0,1.0", "one,1.0"), "row 2 is"),
        ("", "cannot be read as a table"),
        (good.splitlines()[0] + "\nnan,1,1,0,5,5,5,5,5\n", "row 2 is"),
        (good.splitlines()[0] + "\n1,inf,inf,0,5,5,5,5,5\n", "row 2 is"),
        (good.splitlines()[0] + "\n9,1,1,0,5,5,5,5,5\n", "no rating of person 1 for video 1"),
    ):
        path.write_text(text)
        assert wanted in refusal("deap", tmp_path)
    path.unlink()
    (tmp_path / "participant_ratings.xls").write_bytes(b"\x09\x00\x04\x00 no table")
    assert "participant_ratings.xls: cannot be read as an Excel table" in refusal("deap", tmp_path)


# --- DREAMER


def test_dreamer_is_turned_to_channels_first_with_61_s_of_rest_before_each_film(tmp_path):
    made.dreamer(tmp_path, people=2, clips=2)
    corpus, found = trials("dreamer", tmp_path, "2")
    assert corpus.subjects() == ("1", "2")
    assert [trial.stimulus for trial in found] == ["clip 1", "clip 2"]
    assert found[0].channels == EPOC_14
    assert (found[0].sfreq, found[0].baseline_s) == (128.0, 61.0)
    assert found[0].eeg.shape == (14, 64 * 128)
    raw = loadmat(tmp_path / "DREAMER.mat")["DREAMER"][0, 0]["Data"][0, 1]
    for clip, trial in enumerate(found):
        film = raw["EEG"][0, 0]["stimuli"][0, 0][clip, 0]
        np.testing.assert_array_equal(trial.eeg[:, 61 * 128 :], film.T.astype(np.float32))
        scores = [int(raw[f"Score{axis}"][0, 0][clip, 0]) for axis in ("Valence", "Arousal")]
        assert trial.ratings == {"valence": (scores[0] - 3) / 2, "arousal": (scores[1] - 3) / 2}


def test_dreamer_s_offset_stays_and_no_step_lies_between_rest_and_film(tmp_path):
    made.dreamer(tmp_path, people=1, clips=1, rest_s=4)
    _, found = trials("dreamer", tmp_path)
    rest, film = found[0].eeg[:, : 4 * 128], found[0].eeg[:, 4 * 128 :]
    np.testing.assert_allclose(np.median(rest, axis=1), np.median(film, axis=1), atol=1e-2)
    assert abs(film.mean() - 4300) < 10


def test_a_wrong_part_of_dreamer_is_named(tmp_path):
    path = tmp_path / "DREAMER.mat"
    made.save(path, DREAMER={"Data": made.cells([{"EEG": {"baseline": 1.0, "stimuli": 2.0}}])})
    assert "DREAMER.Data[0].EEG.baseline is an array (1, 1)" in refusal("dreamer", tmp_path)
    made.save(path, DREAMER=np.ones((3, 3)))
    assert "DREAMER.mat: DREAMER has numbers where 'Data' is looked for" in refusal("dreamer", tmp_path)
    made.save(path, other=1.0)
    assert "has no variable 'DREAMER'" in refusal("dreamer", tmp_path)


# --- AMIGOS


def test_amigos_has_arousal_first_and_skips_what_is_empty_or_nan(tmp_path):
    folder = tmp_path / "data_preprocessed"
    path = made.amigos_file(
        folder / "Data_Preprocessed_P08" / "Data_Preprocessed_P08.mat",
        8,
        empty=range(16, 20),
        nan=[3],
        unrated=[5],
    )
    made.amigos_file(folder / "Data_Preprocessed_P10.mat", 10)
    corpus, found = trials("amigos", tmp_path, "P08")
    assert corpus.subjects() == ("P08", "P10")
    assert [trial.trial for trial in found] == [str(n) for n in range(1, 17) if n not in (4, 6)]
    assert corpus.notes["a film that the person did not see (empty cell)"] == 4
    assert corpus.notes["a trial with NaN in its EEG, passed over"] == 1
    assert corpus.notes["a trial with NaN for a rating, passed over"] == 1
    known = loadmat(path)
    scores = known["labels_selfassessment"][0, 2][0]
    assert found[2].ratings == pytest.approx({"arousal": (scores[0] - 5) / 4, "valence": (scores[1] - 5) / 4})
    assert (found[2].stimulus, found[2].label, found[2].session) == ("video 138", "happiness", "short")
    # a person may tick several, which is no class
    assert found[0].label is None
    assert found[0].channels == EPOC_14
    assert (found[0].sfreq, found[0].baseline_s) == (128.0, 5.0)
    np.testing.assert_array_equal(found[2].eeg, known["joined_data"][0, 2][:, :14].T.astype(np.float32))


def test_amigos_in_volts_is_read_as_such_and_any_other_unit_is_refused(tmp_path):
    folder = tmp_path / "data_preprocessed"
    path = folder / "Data_Preprocessed_P01.mat"
    made.amigos_file(path, scale=1e-6)
    corpus, found = trials("amigos", tmp_path)
    assert corpus.notes["a file in volts was read as such"] == 1
    assert found[0].eeg.std() == pytest.approx(made.UV, rel=0.05)
    # between the two ranges, and beyond them
    for scale in (1e-3, 1e3, 1e-12):
        made.amigos_file(path, scale=scale)
        said = refusal("amigos", tmp_path)
        assert "P01.mat: joined_data has a median channel deviation of" in said
        assert "microvolts (0.1 to 1000)" in said


def test_drift_does_not_hide_a_unit(tmp_path):
    from emod_model.corpora.checks import to_microvolts

    # 10 mV in a minute
    drift = np.linspace(0, 1e4, 60 * 128, dtype=np.float32) + made.noise((14, 60 * 128)).astype(np.float32)
    assert drift.std() > 1000
    assert to_microvolts(tmp_path, "x", [drift], 128.0, Counter()) == 1


def test_wrong_cells_of_amigos_are_named(tmp_path):
    path = tmp_path / "Data_Preprocessed_P01.mat"
    good = {
        "joined_data": made.cells([made.noise((700, 17))]),
        "labels_selfassessment": made.cells([np.full((1, 12), 5.0)]),
    }
    for field, value, wanted in (
        (
            "joined_data",
            made.cells([made.noise((17, 700))]),
            "joined_data[0] has shape (17, 700), not (samples, 17)",
        ),
        ("joined_data", made.cells([made.noise((640, 17))]), "640 samples, 640 of them baseline"),
        ("joined_data", made.cells(["text"]), "joined_data[0] is str"),
        ("joined_data", np.ones((3, 3)), "joined_data is an array (3, 3) of float64, not cells"),
        ("labels_selfassessment", made.cells([np.full((1, 12), 12.0)]), "valence 12"),
        ("labels_selfassessment", made.cells(["x"]), "labels_selfassessment[0] is str"),
        (
            "labels_selfassessment",
            made.cells([1.0, 2.0]),
            "joined_data has 1 cells and labels_selfassessment 2",
        ),
    ):
        made.save(path, **(good | {field: value}))
        assert wanted in refusal("amigos", tmp_path)
    made.save(path, joined_data=good["joined_data"])
    assert "has no variable 'labels_selfassessment'" in refusal("amigos", tmp_path)


# --- MAHNOB-HCI


def test_mahnob_spans_the_stimulus_by_its_events_at_the_rate_of_the_header(tmp_path):
    made.mahnob_session(tmp_path, 10, clip="90.avi", sfreq=512, rest_s=2, film_s=3)
    made.mahnob_session(tmp_path, 2)
    corpus, found = trials("mahnob-hci", tmp_path)
    assert [trial.trial for trial in found] == ["2", "10"]
    assert [trial.stimulus for trial in found] == ["69.avi", "90.avi"]
    assert [trial.sfreq for trial in found] == [256.0, 512.0]
    assert [trial.baseline_s for trial in found] == [3.0, 2.0]
    # what follows the film is left off
    assert [trial.eeg.shape for trial in found] == [(32, 7 * 256), (32, 5 * 512)]
    assert found[0].channels == BIOSEMI_32
    assert found[0].label == "joy"
    assert found[0].ratings == {"valence": -0.75, "arousal": 0.5}
    np.testing.assert_allclose(found[0].eeg, made.noise((32, 10 * 256), 2)[:, : 7 * 256], atol=0.04)
    assert not corpus.notes


def test_mne_reads_the_same_from_the_bdf(tmp_path):
    import mne

    path = made.bdf(tmp_path / "a.bdf", 4, 128, (128, 384))
    raw = mne.io.read_raw_bdf(path, verbose="error")
    ours = read_bdf(path)
    assert ours.sfreq == raw.info["sfreq"]
    volts = raw.get_data(picks=list(BIOSEMI_32))
    np.testing.assert_allclose([ours.microvolts(row) for row in range(32)], volts * 1e6, atol=1e-3)
    events = mne.find_events(raw, stim_channel="Status", verbose="error")
    assert [(at, code) for at, _, code in events] == list(ours.triggers())


def test_a_bdf_with_annotations_and_slower_rows_gives_the_same(tmp_path):
    plain = read_bdf(made.bdf(tmp_path / "plain.bdf", 4, 256, (256, 512), seed=3))
    plus = read_bdf(made.bdf(tmp_path / "plus.bdf", 4, 256, (256, 512), seed=3, plus=True))
    assert "Annotations" in plus.labels[-1]
    assert plus.triggers() == plain.triggers()
    assert plus.sfreq == plain.sfreq
    np.testing.assert_array_equal(plus.microvolts(31), plain.microvolts(31))
    with pytest.raises(InputFileError, match="GSR1 has 32 samples a record and Fp1 256"):
        plus.microvolts(plus.labels.index("GSR1"))


def test_mahnob_sessions_that_lack_something_are_passed_over_and_counted(tmp_path):
    made.mahnob_session(tmp_path, 1)
    made.mahnob_session(tmp_path, 2, felt="")
    made.mahnob_session(tmp_path, 3, felt='feltVlnc="3"')
    made.mahnob_session(tmp_path, 4, felt='feltArsl="4" feltVlnc="3"')
    made.mahnob_session(tmp_path, 5, events=(300,))
    next(made.mahnob_session(tmp_path, 6).glob("*.bdf")).unlink()
    corpus, found = trials("mahnob-hci", tmp_path)
    assert [trial.trial for trial in found] == ["1", "4"]
    assert [trial.label for trial in found] == ["joy", None]
    assert dict(corpus.notes) == {
        "a session.xml without feltVlnc and feltArsl, passed over": 1,
        "a session.xml without feltArsl, passed over": 1,
        "a session without feltEmo, whose ratings alone are read": 1,
        "a session with 1 events, not 2, passed over": 1,
        "a rated session without a .bdf, passed over": 1,
    }


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('feltVlnc="2"', 'feltVlnc="12"', "valence 12"),
        ('feltVlnc="2"', 'feltVlnc="high"', "feltVlnc is 'high', not a number"),
        ('feltEmo="4"', 'feltEmo="7"', "feltEmo is 7.0, no class"),
        ("</session>", "", "damaged or cut XML"),
        ('encoding="UTF-8"', 'encoding="nonsense"', "damaged or cut XML"),
        ('encoding="UTF-8"', 'encoding="shift_jis"', "damaged or cut XML"),
        ("<session", '<!DOCTYPE s [<!ENTITY a "b">]><session', "defines entities"),
    ],
)
def test_a_wrong_session_xml_is_named(tmp_path, old, new, wanted):
    path = made.mahnob_session(tmp_path, 1) / "session.xml"
    path.write_text(path.read_text().replace(old, new))
    said = refusal("mahnob-hci", tmp_path)
    assert "session.xml: " in said
    assert wanted in said


# --- MDME


def test_mdme_is_cut_by_the_lengths_of_its_trials_and_its_ratings_begin_at_one(tmp_path):
    made.mdme(tmp_path, rows=20, missing=[7], extra=150)
    corpus, found = trials("mdme", tmp_path)
    assert [trial.trial for trial in found] == [str(n) for n in range(32) if n != 7]
    assert [trial.eeg.shape[1] for trial in found] == [n for at, n in enumerate(LENGTHS) if at != 7]
    whole = made.noise((20, sum(LENGTHS) + 150), 1, np.float32)
    np.testing.assert_array_equal(found[1].eeg, whole[:18, 6000:14700])
    assert found[1].start_s == 20.0
    assert found[1].channels == MDME_18
    assert {"T7", "T8", "P7", "P8"} <= set(MDME_18)
    # trial 1 is rated arousal 2, valence 8 on 1 to 9
    assert found[1].ratings == {"arousal": -0.75, "valence": 0.75}
    assert found[1].sfreq == 300
    assert corpus.notes == {
        "a trial without ratings, passed over": 1,
        "150 samples behind the last trial, left off": 1,
    }


def test_a_wrong_or_absent_file_of_mdme_is_named(tmp_path):
    folder = tmp_path / "raw_data" / "1"
    made.save(folder / "datas.mat", eeg_datas=made.noise((18, 3000), 0, np.float32))
    assert "holds no 1/Arousal_Valence.csv" in refusal("mdme", tmp_path)
    table = folder / "1" / "Arousal_Valence.csv"
    table.parent.mkdir()
    for text, wanted in (
        ("0,5,5\n1,x,5\n", "row 2 is ['1', 'x', '5'], not trial, arousal and valence"),
        ("0,5\n", "row 1 is ['0', '5']"),
        ("32,5,5\n", "row 1 is of trial 32"),
        ("0,5,5\n0,5,5\n", "row 2 is of trial 0"),
        ("0,0,5\n", "arousal 0"),
        ("0,5,nan\n", "valence nan"),
        ("0,5,5\n", "eeg_datas has 3000 samples, where 32 trials take 258900"),
    ):
        table.write_text(text)
        assert wanted in refusal("mdme", tmp_path)


def test_nobody_of_that_name_is_told(tmp_path):
    made.deap(tmp_path, people=2, trials=1, samples=7680)
    with pytest.raises(UsageError, match=r"'s07' is nobody in .*, which has s01 to s02"):
        next(DEAP(tmp_path).trials("s07"))
