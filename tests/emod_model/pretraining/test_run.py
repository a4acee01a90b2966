"""A pretraining run in small: learns, stops, goes on bit for bit, and refuses what cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from emod_model.centring import Centring
from emod_model.checkpoint import load_checkpoint
from emod_model.errors import InputFileError, ModelError, UsageError
from emod_model.fitting.loop import STATE, Interrupted, Watch
from emod_model.network import EMODConfig
from emod_model.pretraining.config import Pretraining, read_pretraining
from emod_model.pretraining.data import ContrastPlan, CorpusWindows, held_out
from emod_model.pretraining.run import pretrain
from emod_model.pretraining.sampling import RegionBalancedSampler
from tests.emod_model.fitting.memory_store import MemoryStore, store
from tests.emod_model.fitting.watches import stopped_after

TINY = EMODConfig(d_model=16, n_layers=1, n_heads=2, d_feedforward=16, dropout=0.1, pool_dropout=0.1)
STORES = (store("one", ("Fp1", "Fp2", "C3", "C4", "O1")), store("two", ("TP9", "AF7", "AF8", "TP10"), seed=1))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def settings(out: Path, **changes: object) -> Pretraining:
    told = {
        "out": out,
        "name": "tiny",
        "licence": "BSD-3-Clause",
        "stores": ["unused.h5"],
        "epochs": 4,
        "network": TINY,
        "batches": {"rounds": 1, "an_epoch": 3},
        "optimiser": {"learning_rate": 2e-3, "clip": 3.0, "average": 0.9},
        "validation_people": 0.25,
        "machine": {"accelerator": "cpu"},
    }
    return Pretraining.model_validate(told | changes)


def weights(path: Path) -> dict[str, Tensor]:
    return dict(load_checkpoint(path).network.state_dict())


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never stopped."""
    torch.set_num_threads(1)
    return pretrain(settings(tmp_path_factory.mktemp("straight")), stores=STORES)


class TestRun:
    def test_a_run_writes_weights_that_say_what_they_are_and_its_logs(self, tmp_path: Path) -> None:
        lines: list[str] = []
        path = pretrain(settings(tmp_path / "run"), stores=STORES, watch=Watch(say=lines.append))
        model = load_checkpoint(path)
        assert "one (" in model.training_data
        assert not model.info.affect_trained
        assert "validation/loss" in model.info.figures
        assert lines[-1].startswith("epoch 4 of 4: ")
        assert "loss" in (tmp_path / "run/csv/version_0/metrics.csv").read_text().splitlines()[0]
        assert list((tmp_path / "run/tensorboard/version_0").glob("events*"))
        assert not list((tmp_path / "run").rglob("*.ckpt"))

    @pytest.mark.parametrize("after", [6, 8], ids=["at the end of an epoch", "in the middle of one"])
    def test_a_run_that_was_stopped_goes_on_bit_for_bit(
        self, tmp_path: Path, straight: Path, after: int
    ) -> None:
        with pytest.raises(Interrupted):
            pretrain(settings(tmp_path / "parts"), stores=STORES, watch=stopped_after(after))
        resumed = pretrain(settings(tmp_path / "parts"), stores=STORES, resume=True)
        for name, tensor in weights(straight).items():
            assert torch.equal(weights(resumed)[name], tensor), name

    def test_the_loss_falls_and_bf16_gives_nearly_the_same(self, tmp_path: Path) -> None:
        final = {}
        for precision in ("32", "bf16"):
            told = settings(
                tmp_path / precision,
                epochs=6,
                network=TINY.model_copy(update={"dropout": 0.0, "pool_dropout": 0.0}),
                machine={"accelerator": "cpu", "precision": precision},
            )
            lines: list[str] = []
            pretrain(told, stores=STORES, watch=Watch(say=lines.append))
            losses = [float(line.split("training loss ")[1].split(",")[0]) for line in lines]
            assert losses[-1] < losses[0] - 0.2
            final[precision] = losses[-1]
        assert final["bf16"] == pytest.approx(final["32"], abs=0.2)

    def test_it_goes_on_from_a_checkpoint_such_as_imported_weights(
        self, tmp_path: Path, straight: Path
    ) -> None:
        told = settings(
            tmp_path, start=straight, network=None, epochs=1, optimiser={"learning_rate": 1e-9, "clip": 1}
        )
        further = load_checkpoint(pretrain(told, stores=STORES))
        assert "from tiny" in further.training_data
        for name, tensor in load_checkpoint(straight).network.encoder.named_parameters():
            torch.testing.assert_close(further.network.encoder.get_parameter(name), tensor, atol=1e-6, rtol=0)

    def test_a_baseline_is_taken_off_and_the_checkpoint_says_so(self, tmp_path: Path, straight: Path) -> None:
        relative = load_checkpoint(pretrain(settings(tmp_path / "own", centring={}, epochs=1), stores=STORES))
        assert relative.info.centring == Centring()
        assert "the person's own rest taken off" in relative.training_data
        assert "taken off" not in load_checkpoint(straight).training_data
        on = settings(tmp_path / "on", start=relative.path, network=None)
        with pytest.raises(
            UsageError, match=r'this run has none; set place = "cross-power" under \[centring\]'
        ):
            pretrain(on, stores=STORES)

    def test_a_folder_holds_one_run(self, tmp_path: Path) -> None:
        told = settings(tmp_path, epochs=1)
        with pytest.raises(UsageError, match="no state of a run to resume"):
            pretrain(told, stores=STORES, resume=True)
        pretrain(told, stores=STORES)
        with pytest.raises(UsageError, match="holds a run already; continue it with --resume"):
            pretrain(told, stores=STORES)

    def test_a_run_is_resumed_with_the_settings_it_began_with_alone(self, tmp_path: Path) -> None:
        first = pretrain(settings(tmp_path, epochs=1), stores=STORES)
        before = first.read_bytes()
        assert pretrain(settings(tmp_path, epochs=1), stores=STORES, resume=True) == first
        assert first.read_bytes() == before, "a run that is done stays as it is"
        with pytest.raises(UsageError, match="began with epochs = 1 and now has 2; resume it with"):
            pretrain(settings(tmp_path, epochs=2), stores=STORES, resume=True)

    def test_a_loss_that_is_no_number_ends_the_run_at_once(self, tmp_path: Path) -> None:
        wild = settings(tmp_path, optimiser={"learning_rate": 1e30, "clip": 3.0})
        with pytest.raises(ModelError, match="the loss is no number after epoch 1; lower"):
            pretrain(wild, stores=STORES)
        assert not (tmp_path / STATE).exists()

    def test_windows_that_hold_no_numbers_are_refused(self, tmp_path: Path) -> None:
        broken = store("broken", ("Fp1", "Fp2", "C3", "C4", "O1"))
        broken.windows[:] = np.nan
        with pytest.raises(UsageError, match="windows of broken hold what is no number"):
            pretrain(settings(tmp_path), stores=(broken,))

    def test_a_place_outside_the_plane_is_refused(self, tmp_path: Path) -> None:
        far = store("far", ("Fp1", "Fp2", "C3", "C4", "O1"))
        far.arousal[0] = 7.0
        with pytest.raises(UsageError, match=r"far has a window at valence and arousal 7, outside \[-1, 1\]"):
            pretrain(settings(tmp_path), stores=(far,))

    def test_a_damaged_state_is_refused(self, tmp_path: Path) -> None:
        pretrain(settings(tmp_path, epochs=1), stores=STORES)
        (tmp_path / STATE).write_bytes(b"not a state")
        with pytest.raises(InputFileError, match=r"state\.safetensors is no whole state of a run"):
            pretrain(settings(tmp_path, epochs=1), stores=STORES, resume=True)


class TestWindows:
    def test_a_batch_holds_each_corpus_with_its_own_electrodes_and_no_rest(self) -> None:
        corpora = [CorpusWindows(s, held_out(s.subject.tolist(), 0.0, 1)[0]) for s in STORES]
        plan = ContrastPlan(corpora, RegionBalancedSampler([c.regions for c in corpora], rounds=2))
        batch = plan.read(plan.epoch(0)[0], np.random.default_rng(0))
        assert [len(part.points) for part in batch] == [18, 18]
        for corpus, part in zip(STORES, batch, strict=True):
            eeg, spatial, _ = part.seen
            assert eeg.shape[0] == 18
            assert 3 <= eeg.shape[1] <= len(corpus.channels)
            assert (eeg.std(-1) > 0).all(), "a bad channel is never read"
            torch.testing.assert_close(eeg.mean(1), torch.zeros_like(eeg.mean(1)), atol=1e-4, rtol=0)
            assert spatial.shape[1] == eeg.shape[1]
            assert part.points.isfinite().all()

    def test_held_out_people_are_the_same_for_a_seed_and_never_all(self) -> None:
        train, held = held_out(STORES[0].subject.tolist(), 0.25, 1)
        assert (len(train), len(held)) == (3, 1)
        assert held_out(STORES[0].subject.tolist(), 0.25, 1) == (train, held)
        assert len(held_out(STORES[0].subject.tolist(), 0.99, 1)[0]) == 1
        assert held_out(STORES[0].subject.tolist(), 0.0, 1)[1] == []

    def test_a_store_without_valence_and_arousal_is_refused(self) -> None:
        bare = store("bare", ("C3", "C4", "Cz"))
        bare.valence[:] = np.nan
        with pytest.raises(UsageError, match="no window of bare has valence and arousal"):
            CorpusWindows(bare, ["00"])

    def test_stores_prepared_differently_do_not_go_together(self, tmp_path: Path) -> None:
        other = MemoryStore(
            **{**vars(STORES[1]), "spec": STORES[1].spec.model_copy(update={"band_hz": (4.0, 45.0)})}
        )
        with pytest.raises(UsageError, match=r"one and two were prepared with band_hz \(1.0, 45.0\) and"):
            pretrain(settings(tmp_path), stores=(STORES[0], other))


class TestSettings:
    TOML = """
out = "run"
name = "mine"
licence = "CC-BY-4.0"
stores = ["deap.h5", "seed.h5"]
[loss]
variant = "hard"
[optimiser]
learning_rate = 1e-3
clip = 3
"""

    def test_one_file_says_everything_and_paths_count_from_it(self, tmp_path: Path) -> None:
        (tmp_path / "run.toml").write_text(self.TOML)
        told = read_pretraining(tmp_path / "run.toml")
        assert told.stores == (tmp_path / "deap.h5", tmp_path / "seed.h5")
        assert told.out == tmp_path / "run"
        assert told.loss.variant == "hard"

    def test_the_defaults_are_the_published_recipe(self) -> None:
        told = Pretraining(out=Path("x"), name="x", licence="x", stores=(Path("y"),))
        assert (told.epochs, told.optimiser.learning_rate, told.optimiser.weight_decay) == (100, 5e-4, 1e-4)
        assert (told.optimiser.final_rate, told.optimiser.clip, told.batches.rounds) == (1e-7, 3.0, 4)
        assert (told.loss.temperature, told.loss.d_max, told.loss.variant) == (0.07, 5.0, "soft")

    @pytest.mark.parametrize(
        ("before", "after", "sentence"),
        [
            ('"hard"', '"firm"', "loss.variant = 'firm': input should be 'soft', 'hard' or 'augmentation'"),
            ("1e-3", "-1", "optimiser.learning_rate = -1: input should be greater than 0"),
            ('stores = ["deap.h5", "seed.h5"]', "stores = []", "stores"),
            ("[loss]", "epochs = 0\n[loss]", "epochs = 0: input should be greater than or equal to 1"),
            ("[loss]", "epoch = 3\n[loss]", "epoch is not a setting known here"),
        ],
    )
    def test_what_cannot_be_is_refused_with_file_field_and_value(
        self, tmp_path: Path, before: str, after: str, sentence: str
    ) -> None:
        file = tmp_path / "run.toml"
        file.write_text(self.TOML.replace(before, after, 1))
        with pytest.raises(InputFileError, match=sentence) as refused:
            read_pretraining(file)
        assert str(refused.value).startswith(str(file))


def test_a_state_holds_no_pickle(tmp_path: Path) -> None:
    pretrain(settings(tmp_path, epochs=1), stores=STORES)
    raw = (tmp_path / STATE).read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert "emod-run" in header["__metadata__"]
