"""A store holds what the live path would see, and says where it comes from and what was left out."""

import hashlib
import json
import pickle
import re
from dataclasses import replace

import h5py
import numpy as np
import pytest
from distributed import Client, LocalCluster
from joblib import parallel_config

from emod_model.errors import InputFileError, UsageError
from emod_model.signal.windows import condition_recording
from emod_model.store import Recipe, open_store, write_store
from emod_model.store.cut import cut
from tests.emod_model.store.toy import CHANNELS, RECIPE, SFREQ, SPEC, Toy, signal, trial


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "toy.h5"


def live_windows(eeg, hop_s=0.5):
    """By their last sample, what the live path gives."""
    found = condition_recording(eeg, SFREQ, SPEC, hop_s, CHANNELS)
    return {window.index: window.eeg for window in found if window.eeg is not None}


class TestWindows:
    def test_are_to_the_bit_what_the_live_path_gives(self):
        taken = trial("p0", 0)
        windows = cut(taken, SPEC, hop_s=2.0)
        live = live_windows(taken.eeg)
        assert windows.start_s.tolist() == [1.5, 3.5, 5.5, 7.5]
        for eeg, start in zip(windows.eeg, windows.start_s, strict=True):
            np.testing.assert_array_equal(eeg, live[round((start + SPEC.window_s) * SFREQ) - 1])

    def test_begin_with_the_stimulus_and_none_is_part_rest_part_stimulus(self):
        windows = cut(replace(trial("p0", 0), baseline_s=4.3, start_s=100.0), SPEC, hop_s=0.5)
        np.testing.assert_allclose(windows.start_s[windows.baseline], [101.8, 102.3])
        np.testing.assert_allclose(windows.start_s[~windows.baseline], 104.3 + 0.5 * np.arange(8))

    def test_a_bad_channel_is_zero_and_marked_as_in_the_live_path(self):
        eeg = trial("p0", 0).eeg.copy()
        eeg[2] = 7.0
        windows = cut(replace(trial("p0", 0), eeg=eeg), SPEC, hop_s=2.0)
        assert windows.good.tolist() == [[True, True, False, True, True, True]] * 4
        assert not windows.eeg[:, 2].any()
        np.testing.assert_allclose(windows.eeg[windows.good].reshape(4, 5, -1).mean(1), 0, atol=1e-5)

    def test_windows_without_a_signal_are_counted_by_reason(self):
        eeg = trial("p0", 0).eeg.copy()
        eeg[:, 1200:1220] = np.nan
        windows = cut(replace(trial("p0", 0), eeg=eeg), SPEC, hop_s=2.0)
        assert windows.lost == {"gap": 1}
        assert windows.start_s.tolist() == [1.5, 7.5]

    @pytest.mark.parametrize("sfreq", [128.0, 200.0, 1000.0])
    def test_have_the_rate_of_the_model_whatever_the_corpus_has(self, sfreq):
        eeg = signal(1, 10, sfreq=sfreq)
        windows = cut(replace(trial("p0", 0), eeg=eeg, sfreq=sfreq), SPEC, hop_s=2.0)
        assert windows.eeg.shape == (4, 6, 250)
        np.testing.assert_allclose(windows.start_s, [1.5, 3.5, 5.5, 7.5])


class TestAStore:
    def test_has_every_window_with_what_is_known_of_it(self, raw, path):
        write_store(Toy(raw), raw, path, RECIPE)
        store = open_store(path)
        assert store.corpus == "toy"
        assert store.channels == CHANNELS
        assert store.spec == SPEC
        assert store.hop_s == 2.0
        assert store.windows.shape == (24, 6, 250)
        assert store.windows.dtype == np.float32
        assert len(store) == 24
        assert store.subject.tolist() == ["p0"] * 8 + ["p1"] * 8 + ["p2"] * 8
        assert store.trial.tolist() == (["0"] * 4 + ["1"] * 4) * 3
        assert store.label.tolist() == (["happy"] * 4 + ["sad"] * 4) * 3
        assert store.stimulus[:5].tolist() == ["film 0"] * 4 + ["film 1"]
        assert store.start_s[:4].tolist() == [1.5, 3.5, 5.5, 7.5]
        assert store.arousal[:5].tolist() == [0.0, 0.0, 0.0, 0.0, -0.25]
        assert store.rated.all()
        assert store.good.all()
        assert not store.baseline.any()
        expected = cut(trial("p1", 1), SPEC, hop_s=2.0).eeg
        np.testing.assert_array_equal(store.windows[12:16], expected)

    def test_has_a_manifest_with_counts_hashes_and_what_made_it(self, raw, path):
        manifest = write_store(Toy(raw), raw, path, RECIPE).manifest
        assert open_store(path).manifest == manifest
        assert manifest.recipe == RECIPE
        assert manifest.program.startswith("emod-rt ")
        assert manifest.counts.subject == {"p0": 8, "p1": 8, "p2": 8}
        assert manifest.counts.label == {"happy": 12, "sad": 12}
        # valence 0.5 is the upper third; arousal 0 the middle, -0.25 the middle
        assert manifest.counts.region == {**dict.fromkeys("01234678", 0), "5": 24}
        assert manifest.counts.affect == {"ratings": 24, "vocabulary": 0}
        (first, *_) = manifest.files
        assert (first.path, first.bytes) == ("p0.dat", 2)
        assert first.sha256 == hashlib.sha256(b"p0").hexdigest()

    def test_opens_with_any_hdf5_program(self, raw, path):
        write_store(Toy(raw), raw, path, RECIPE)
        with h5py.File(path) as file:
            assert file["windows"].shape == (24, 6, 250)
            np.testing.assert_array_equal(file["windows"][5], open_store(path).windows[5])
            assert file["label"].asstr()[4] == "sad"
            assert [name.decode() for name in file["channels"]] == list(CHANNELS)
            assert json.loads(file["manifest"][()])["windows"] == 24
            assert file.attrs["sfreq"] == 125.0

    def test_rest_before_a_stimulus_has_neither_label_nor_ratings(self, raw, path):
        class Rested(Toy):
            def trial(self, subject, number):
                return replace(trial(subject, number), baseline_s=4.0)

        manifest = write_store(Rested(raw, 1), raw, path, RECIPE).manifest
        store = open_store(path)
        assert store.start_s.tolist() == [2.0, 4.0, 6.0, 8.0] * 2
        assert store.baseline.tolist() == [True, False, False, False] * 2
        assert store.label.tolist()[:2] == ["", "happy"]
        assert np.isnan(store.valence[store.baseline]).all()
        assert np.isfinite(store.valence[~store.baseline]).all()
        assert manifest.counts.baseline == 2
        assert manifest.counts.label == {"happy": 3, "sad": 3}

    def test_labels_without_ratings_lie_where_the_vocabulary_has_them(self, raw, path):
        class Named(Toy):
            name = "seed-iv"

            def trial(self, subject, number):
                return replace(trial(subject, number), ratings=None)

        manifest = write_store(Named(raw, 1), raw, path, RECIPE).manifest
        store = open_store(path)
        assert store.valence[store.label == "happy"].tolist() == [0.75] * 4
        assert store.arousal[store.label == "sad"].tolist() == [0.25] * 4
        assert not store.rated.any()
        assert manifest.counts.affect == {"ratings": 0, "vocabulary": 8}

    def test_without_ratings_and_vocabulary_there_is_no_valence(self, raw, path):
        class Unrated(Toy):
            def trial(self, subject, number):
                return replace(trial(subject, number), ratings=None)

        write_store(Unrated(raw, 1), raw, path, RECIPE)
        assert np.isnan(open_store(path).valence).all()

    def test_electrodes_that_some_lack_are_marked_there(self, raw, path):
        class Mixed(Toy):
            def trial(self, subject, number):
                taken = trial(subject, number)
                if subject == "p0":
                    return taken
                return replace(taken, channels=("O2", "O1", "C4", "C3", "T7"), eeg=taken.eeg[:5])

        write_store(Mixed(raw, 2), raw, path, RECIPE)
        store = open_store(path)
        assert store.channels == (*CHANNELS, "T7")
        assert store.good[0].tolist() == [True] * 6 + [False]
        assert store.good[8].tolist() == [False, False, True, True, True, True, True]
        other = cut(
            replace(trial("p1", 0), channels=("O2", "O1", "C4", "C3", "T7"), eeg=trial("p1", 0).eeg[:5]),
            SPEC,
            2.0,
        )
        np.testing.assert_array_equal(store.windows[8][[5, 4, 3, 2, 6]], other.eeg[0])
        assert not store.windows[8][:2].any()

    def test_random_windows_are_read_in_other_processes_too(self, raw, path):
        write_store(Toy(raw), raw, path, RECIPE)
        store = open_store(path)
        again = pickle.loads(pickle.dumps(store))
        assert len(pickle.dumps(store)) < 500
        np.testing.assert_array_equal(again.windows[[20, 3]], store.windows[[20, 3]])

    def test_does_not_depend_on_how_many_work_at_it_or_where(self, raw, path):
        write_store(Toy(raw), raw, path, RECIPE, workers=1)
        other = path.with_name("other.h5")
        write_store(Toy(raw), raw, other, RECIPE, workers=2)
        assert path.read_bytes() == other.read_bytes()
        third = path.with_name("third.h5")
        inside = LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None)
        with inside as cluster, Client(cluster), parallel_config(backend="dask"):
            write_store(Toy(raw), raw, third, RECIPE)
        assert path.read_bytes() == third.read_bytes()


class TestWhoeverCannotBeUsed:
    def test_is_left_out_whole_with_the_reason(self, raw, path):
        corpus = Toy(raw)
        corpus.file("p1").write_text("damaged")
        manifest = write_store(corpus, raw, path, RECIPE).manifest
        assert set(open_store(path).subject) == {"p0", "p2"}
        (refused,) = manifest.refused
        assert refused.subject == "p1"
        assert refused.reason == f"{raw}/p1.dat: damaged; copy it again"

    @pytest.mark.parametrize(("factor", "said"), [(1e-6, "e-05 µV"), (1e3, r"e\+04 µV")])
    def test_may_have_values_in_another_unit(self, raw, path, factor, said):
        class Volts(Toy):
            def trial(self, subject, number):
                taken = trial(subject, number)
                return replace(taken, eeg=taken.eeg * np.float32(factor)) if subject == "p1" else taken

        (refused,) = write_store(Volts(raw), raw, path, RECIPE).manifest.refused
        assert refused.subject == "p1"
        assert refused.reason.startswith(f"{raw}/p1.dat: the median channel of p1 moves by")
        assert re.search(said, refused.reason)

    def test_may_have_trials_too_short_for_a_window_which_are_counted(self, raw, path):
        class Short(Toy):
            def trial(self, subject, number):
                taken = trial(subject, number)
                return replace(taken, eeg=taken.eeg[:, :800]) if number else taken

        manifest = write_store(Short(raw), raw, path, RECIPE).manifest
        assert manifest.notes == {"trial too short for a window": 3}
        assert set(open_store(path).trial) == {"0"}

    def test_may_have_no_signal_at_all(self, raw, path):
        class Dead(Toy):
            def trial(self, subject, number):
                taken = trial(subject, number)
                return replace(taken, eeg=np.full_like(taken.eeg, np.nan)) if subject == "p2" else taken

        (refused,) = write_store(Dead(raw), raw, path, RECIPE).manifest.refused
        assert refused.reason == f"{raw}/p2.dat: no window holds a signal (8 gap)"

    def test_may_be_everybody_and_then_there_is_no_store(self, raw, path):
        corpus = Toy(raw, 2)
        for who in corpus.subjects():
            corpus.file(who).write_text("damaged")
        with pytest.raises(
            InputFileError, match=r"nobody of 2 can be used, so no store was made; the first: .*p0"
        ):
            write_store(corpus, raw, path, RECIPE)
        assert not path.exists()
        corpus.file("p1").write_text("p1")
        assert write_store(corpus, raw, path, RECIPE).manifest.counts.subject == {"p1": 8}


class TestAStoreThatIsThere:
    def test_of_the_same_recipe_and_files_is_left_as_it_is(self, raw, path):
        write_store(Toy(raw), raw, path, RECIPE)
        before = path.stat()
        again = write_store(Toy(raw), raw, path, RECIPE)
        assert again.before
        assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)

    def test_of_another_recipe_is_refused(self, raw, path):
        write_store(Toy(raw, 1), raw, path, RECIPE)
        other = Recipe(corpus="toy", signal=SPEC.model_copy(update={"window_s": 3.0}), hop_s=1.0)
        with pytest.raises(
            UsageError, match=r"is there already, of window_s 2\.0 and not 3\.0, hop_s 2\.0 and not 1\.0"
        ):
            write_store(Toy(raw, 1), raw, path, other)

    def test_of_other_raw_files_is_refused_by_their_names(self, raw, path):
        corpus = Toy(raw)
        write_store(corpus, raw, path, RECIPE)
        corpus.file("p1").write_text("another take")
        with pytest.raises(UsageError, match=r"of other raw files \(p1\.dat differ\)"):
            write_store(corpus, raw, path, RECIPE)

    def test_is_no_store_and_stays(self, raw, path):
        path.write_text("my thesis")
        with pytest.raises(InputFileError, match="is no HDF5 file"):
            write_store(Toy(raw), raw, path, RECIPE)
        assert path.read_text() == "my thesis"


class TestOpening:
    def test_a_file_that_is_not_there_or_no_store_is_refused(self, tmp_path):
        with pytest.raises(InputFileError, match=r"none\.h5 cannot be read \(No such file"):
            open_store(tmp_path / "none.h5")
        with h5py.File(tmp_path / "other.h5", "w") as file:
            file["windows"] = np.zeros(3)
        with pytest.raises(InputFileError, match="is HDF5, but no store"):
            open_store(tmp_path / "other.h5")

    @pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.999])
    def test_a_store_cut_short_is_refused(self, raw, path, share):
        write_store(Toy(raw, 1), raw, path, RECIPE)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        with pytest.raises(InputFileError, match="cut short"):
            open_store(path)

    def test_a_store_of_a_newer_program_is_refused(self, raw, path):
        write_store(Toy(raw, 1), raw, path, RECIPE)
        with h5py.File(path, "r+") as file:
            said = json.loads(file["manifest"][()])
            del file["manifest"]
            file["manifest"] = json.dumps(said | {"version": 2})
        with pytest.raises(InputFileError, match="no store that this version reads"):
            open_store(path)
