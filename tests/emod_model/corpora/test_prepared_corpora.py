"""Every corpus from its true layout into a store: windows as the live path sees them, with what they mean."""

import numpy as np
import pytest

from emod_model.affect.vocabulary import vocabulary
from emod_model.corpora import open_corpus
from emod_model.signal.spec import SignalSpec
from emod_model.store import Recipe, open_store, write_store
from tests.emod_model.corpora import made
from tests.emod_model.corpora.small import LONG

SPEC = SignalSpec()
RATED = {"amigos", "deap", "dreamer", "faced", "mahnob-hci", "mdme"}
LABELLED = {"amigos", "faced", "mahnob-hci", "mped", "seed", "seed-iv", "seed-v", "seed-vii"}
# of DEAP's three seconds of rest the filters take the first half, and no window is left
RESTED = {"amigos", "dreamer", "mahnob-hci", "mped"}
CHANNELS = {"amigos": 14, "deap": 32, "dreamer": 14, "faced": 30, "mahnob-hci": 32, "mdme": 18}


@pytest.mark.parametrize("name", sorted(LONG))
def test_a_corpus_becomes_a_store(tmp_path, name):
    raw = tmp_path / "raw"
    raw.mkdir()
    LONG[name](raw)
    corpus = open_corpus(name, raw)
    path = tmp_path / f"{name}.h5"
    done = write_store(corpus, raw, path, Recipe(corpus=name, signal=SPEC, hop_s=SPEC.window_s))
    assert not done.manifest.refused
    store = open_store(path)
    count = len(store.subject)
    assert count >= 2
    assert store.windows.shape == (count, CHANNELS.get(name, 62), SPEC.window_samples)
    assert np.isfinite(store.windows[:]).all()
    # microvolts: noise of 20 loses what lies beyond the band
    assert 2 < np.median(store.windows[:].std(axis=2)) < 25
    assert store.good.mean() > 0.9
    assert set(store.subject) == set(corpus.subjects())
    film = ~store.baseline
    assert (store.stimulus[film] != "").all()
    assert store.baseline.any() == (name in RESTED)
    assert (store.label[film] != "").any() == (name in LABELLED)
    assert np.isfinite(store.valence[film]).all()
    assert np.isfinite(store.arousal[film]).all()
    assert (np.abs([store.valence[film], store.arousal[film]]) <= 1).all()
    assert store.rated[film].all() == (name in RATED)
    if name not in RATED:
        words = vocabulary(name)
        for row in np.flatnonzero(film):
            point = store.valence[row], store.arousal[row]
            assert point == pytest.approx(words.point(store.label[row]))


def test_the_same_clip_is_one_stimulus_for_everyone(tmp_path):
    """Or protocols that keep a clip's trials together would part them."""
    raw = tmp_path / "raw"
    made.amigos(raw, people=2, seconds=10)
    corpus = open_corpus("amigos", raw)
    shown = [{trial.trial: trial.stimulus for trial in corpus.trials(who)} for who in corpus.subjects()]
    assert shown[0] == shown[1]
    assert len(set(shown[0].values())) == 20


def test_loaders_survive_being_sent_to_another_process(tmp_path):
    import pickle

    for name, make in LONG.items():
        if name in ("mdme", "seed-v", "deap"):
            continue
        raw = tmp_path / name
        raw.mkdir()
        make(raw)
        corpus = pickle.loads(pickle.dumps(open_corpus(name, raw)))
        assert next(corpus.trials(corpus.subjects()[0])).eeg.size
