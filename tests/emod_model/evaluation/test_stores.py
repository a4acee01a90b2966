import numpy as np
import pytest
import torch

from emod_model.centring import Centring
from emod_model.checkpoint import CheckpointInfo, LabelSpace, load_checkpoint, save_checkpoint
from emod_model.errors import ModelError, UsageError
from emod_model.evaluation.outcome import as_object
from emod_model.evaluation.relative import relative
from emod_model.evaluation.stores import on_store, table_of
from emod_model.network import EMOD, EMODConfig
from emod_model.store import open_store, write_store
from tests.emod_model.store.toy import RECIPE, SPEC, Toy, trial

CLASSES = ("happy", "neutral", "sad")


class Loud(Toy):
    """A corpus in which a film's class can be heard: sad is loud, happy is quiet; trials begin at rest."""

    def trial(self, subject, number):
        plain = trial(subject, number, baseline_s=4.0)
        size = {"happy": 0.4, "neutral": 1.0, "sad": 2.5}[plain.label]
        eeg = plain.eeg.copy()
        eeg[:, 1000:] *= size
        rating = {"valence": 0.1 * (1.0 - size), "arousal": float(0.4 * np.log(size))}
        return trial(subject, number, baseline_s=4.0, eeg=eeg, ratings=rating)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    raw = tmp_path_factory.mktemp("raw")
    path = raw.parent / f"{raw.name}.h5"
    write_store(Loud(raw, people=4, trials=9), raw, path, RECIPE)
    return open_store(path)


def model_of(folder, **changes):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = EMODConfig(d_model=8, n_layers=1, n_heads=2, d_feedforward=8, n_groups=2, n_classes=3)
    given = {
        "name": "tiny",
        "network": config,
        "signal": SPEC,
        "labels": LabelSpace(classes=("sad", "happy", "neutral")),
        "training_data": "nothing",
        "licence": "BSD-3-Clause",
        "simulated": True,
    }
    path = folder / "tiny.safetensors"
    save_checkpoint(path, EMOD(config).eval(), CheckpointInfo(**(given | changes)))
    return load_checkpoint(path)


def test_classes_and_ratings_are_judged_on_people_who_were_never_met(store, tmp_path):
    told = as_object(on_store(store, model_of(tmp_path), "leave-one-person-out", lambda _: None))
    assert told["classes"] == list(CLASSES)
    part = told["parts"]["test"]
    assert part["people"] == ["p0", "p1", "p2", "p3"]
    assert set(part["methods"]) == {
        "EMOD",
        "EMOD frozen, linear head",
        "linear, band power",
        "no EEG: majority",
        "no EEG: stimulus mean",
    }
    # rest has no class: it is neither learnt from nor judged
    rest = int(store.baseline.sum())
    assert rest > 0
    linear = part["methods"]["linear, band power"]
    assert {kind: figures["windows"] for kind, figures in linear.items()} == dict.fromkeys(
        ("none", "causal", "transductive"), len(store) - rest
    )
    assert linear["causal"]["pooled"]["balanced_accuracy"] > 0.9
    assert linear["causal"]["fitted_on_people"] == 3
    # the film tells its class, and others have seen it
    assert part["methods"]["no EEG: stimulus mean"]["none"]["pooled"]["balanced_accuracy"] == 1.0
    assert list(part["methods"]["EMOD"]) == ["none"]
    ratings = part["ratings"]
    assert set(ratings) == {
        "EMOD",
        "EMOD frozen, linear head",
        "linear, band power",
        "no EEG: mean",
        "no EEG: stimulus mean",
    }
    arousal = {method: kinds["causal"]["arousal"]["ccc"]["pooled"] for method, kinds in ratings.items()}
    assert arousal["linear, band power"] > 0.8
    assert abs(arousal["no EEG: mean"]) < 0.05
    assert len(ratings["linear, band power"]["none"]["valence"]["rmse"]["people"]) == 4


def test_a_checkpoint_that_takes_a_baseline_off_its_input_does_so_with_the_rests_so_far(store, tmp_path):
    tiny = model_of(tmp_path, centring=Centring())
    causal, fused, _ = relative(store, tiny, "causal")
    every, _, _ = relative(store, tiny, "transductive")
    assert np.isfinite(causal).all()
    assert np.isfinite(fused).all()
    assert not np.allclose(causal, every, atol=1e-7)
    # what comes later than a person's second trial leaves the first two as they were
    early = np.isin(store.trial, ["0", "1"])
    raw = tmp_path / "raw"
    raw.mkdir()
    write_store(Loud(raw, people=4, trials=2), raw, tmp_path / "short.h5", RECIPE)
    short = open_store(tmp_path / "short.h5")
    np.testing.assert_allclose(relative(short, tiny, "causal")[0], causal[early], atol=1e-6)


def test_unseen_people_on_unseen_films_leave_nothing_to_those_who_see_no_eeg(store):
    told = as_object(on_store(store, None, "crossed", lambda _: None))
    assert told["model"] is None
    methods = told["parts"]["test"]["methods"]
    assert "no EEG: stimulus mean" not in methods
    assert "no EEG: person mean" not in methods
    assert "linear, band power" in methods


def test_a_store_of_another_signal_or_a_protocol_that_cannot_part_it_is_refused(store, tmp_path):
    other = model_of(tmp_path, signal=SPEC.model_copy(update={"band_hz": (2.0, 40.0)}))
    with pytest.raises(ModelError, match=r"band_hz \(1.0, 45.0\)"):
        on_store(store, other, "leave-one-person-out", lambda _: None)
    with pytest.raises(UsageError, match="3 sessions"):
        on_store(store, None, "seed", lambda _: None)


def test_the_first_minute_of_rest_is_the_baseline_where_rest_is_a_class(store):
    table = table_of(store)
    assert table.baseline.tolist() == store.baseline.tolist()
    assert set(table.label[table.baseline].tolist()) == {-1}
    assert [table.classes[at] for at in table.label[:3].tolist() if at >= 0]
