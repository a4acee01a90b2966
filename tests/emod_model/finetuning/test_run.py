"""Fine-tuning in small: learns what is planted, keeps the best epoch, goes on bit for bit."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from emod_model.centring import Centring
from emod_model.checkpoint import Model, load_checkpoint
from emod_model.errors import InputFileError, ModelError, UsageError
from emod_model.features import extract
from emod_model.finetuning.config import Augmentation, Finetuning, read_finetuning
from emod_model.finetuning.data import JudgedPlan, LabelledWindows, ShuffledPlan, classes_of, parts
from emod_model.finetuning.ensemble import Ensemble, answer
from emod_model.finetuning.figures import affect_figures, class_figures
from emod_model.finetuning.judge import judge
from emod_model.finetuning.module import augmented
from emod_model.finetuning.run import finetune
from emod_model.fitting.config import Relative
from emod_model.fitting.loop import Interrupted
from emod_model.fitting.windows import Seen, features
from emod_model.montage import spatial_weights
from emod_model.network import EMODConfig
from tests.emod_model.fitting.memory_store import SPEC, MemoryStore, store
from tests.emod_model.fitting.watches import stopped_after

TINY = EMODConfig(d_model=16, n_layers=1, n_heads=2, d_feedforward=16, pool_dropout=0.1)
CHANNELS = ("Fp1", "Fp2", "C3", "C4", "O1")
STORE = store("films", CHANNELS, people=5, each=30)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def settings(out: Path, **changes: object) -> Finetuning:
    told = {
        "out": out,
        "name": "tiny",
        "licence": "BSD-3-Clause",
        "store": "unused.h5",
        "epochs": 3,
        "network": TINY,
        "dropout": 0.1,
        "batch": 16,
        "optimiser": {"learning_rate": 5e-3, "backbone": 0.5, "clip": 1.0, "average": 0.8},
        "validation_people": ("03", "04"),
        "machine": {"accelerator": "cpu"},
    }
    return Finetuning.model_validate(told | changes)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Both heads, fitted long enough to have learnt."""
    torch.set_num_threads(1)
    told = settings(tmp_path_factory.mktemp("both"), head="both", epochs=9)
    return load_checkpoint(finetune(told, store=STORE))


class TestRun:
    def test_both_heads_learn_what_was_planted_in_people_they_never_met(self, both: Model) -> None:
        figures = both.info.figures
        assert both.info.labels.classes == ("happy", "neutral", "sad")
        assert both.info.affect_trained
        assert figures["validation/kappa"] > 0.7
        assert figures["validation/ccc"] > 0.6
        assert "films, 3 people" in both.training_data

    def test_the_figures_are_those_of_the_very_weights_that_were_kept(self, both: Model) -> None:
        rows = np.flatnonzero(np.isin(STORE.subject, ["03", "04"]) & ~STORE.baseline)
        windows = LabelledWindows(STORE, rows, both.info.labels.classes)
        figures = judge(partial(answer, both), windows)
        assert {f"validation/{name}": pytest.approx(value) for name, value in figures.items()} | {
            "validation/epoch": both.info.figures["validation/epoch"]
        } == both.info.figures

    def test_a_window_is_judged_as_whoever_loads_the_model_reads_it(self, both: Model) -> None:
        row = int(np.flatnonzero(~STORE.good.all(1) & ~STORE.baseline)[0])
        good = STORE.good[row]
        names = [name for name, there in zip(CHANNELS, good, strict=True) if there]
        read = answer(both, extract(torch.from_numpy(STORE.windows[[row]][:, good]), names, 125.0, SPEC))
        seen = LabelledWindows(STORE, np.array([row]), both.info.labels.classes).read_alike(np.array([0]))
        for one, other in zip(answer(both, features(seen[0][1], SPEC)), read, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("after", [8], ids=["in the middle of an epoch"])
    def test_a_run_that_was_stopped_goes_on_bit_for_bit(self, tmp_path: Path, after: int) -> None:
        straight = load_checkpoint(finetune(settings(tmp_path / "straight"), store=STORE))
        with pytest.raises(Interrupted):
            finetune(settings(tmp_path / "parts"), store=STORE, watch=stopped_after(after))
        resumed = load_checkpoint(finetune(settings(tmp_path / "parts"), store=STORE, resume=True))
        assert resumed.info.figures == straight.info.figures
        for name, tensor in straight.network.state_dict().items():
            assert torch.equal(resumed.network.state_dict()[name], tensor), name

    def test_a_checkpoint_brings_its_network_and_its_classes_where_they_are_as_many(
        self, tmp_path: Path, both: Model
    ) -> None:
        told = settings(tmp_path, start=both.path, network=None, head="affect", epochs=1)
        tuned = load_checkpoint(finetune(told, store=STORE))
        assert tuned.info.network.n_classes == 0
        assert tuned.info.network.d_model == TINY.d_model
        assert tuned.info.affect_trained
        assert "from tiny" in tuned.training_data
        assert tuned.info.figures["validation/ccc"] > 0.5, "it starts from what the other had learnt"

    def test_a_head_for_classes_alone_does_not_claim_valence_and_arousal(self, tmp_path: Path) -> None:
        tuned = load_checkpoint(finetune(settings(tmp_path, epochs=1), store=STORE))
        assert not tuned.info.affect_trained
        assert "validation/kappa" in tuned.info.figures
        assert "validation/ccc" not in tuned.info.figures


class TestData:
    def test_people_are_apart_and_those_kept_out_are_in_neither_part(self, tmp_path: Path) -> None:
        told = settings(tmp_path, kept_out=("00",), validation_people=0.25)
        train, held = (set(STORE.subject[rows]) for rows in parts(told, STORE, classes_of(told, STORE)))
        assert not train & held
        assert "00" not in train | held
        assert len(held) == 1

    def test_every_window_comes_once_an_epoch_and_processes_share_them(self) -> None:
        windows = LabelledWindows(STORE, np.flatnonzero(~STORE.baseline), ("sad", "neutral", "happy"))
        whole = ShuffledPlan(windows, 16, seed=1, rank=0, processes=1).epoch(2)
        assert whole.shape == (len(windows) // 16, 16)
        assert len(np.unique(whole)) == whole.size
        halves = [ShuffledPlan(windows, 8, seed=1, rank=r, processes=2).epoch(2) for r in (0, 1)]
        assert sorted(np.concatenate(halves).ravel()) == sorted(whole.ravel())

    def test_judged_windows_come_once_with_all_their_good_channels(self) -> None:
        windows = LabelledWindows(STORE, np.arange(len(STORE.label)), ("sad", "neutral", "happy"))
        plan = JudgedPlan(windows)
        seen = [p for k in plan.epoch(0) for p in plan.read(k, np.random.default_rng(0))]
        assert sum(len(p.label) for p in seen) == len(windows)
        assert {p.seen.eeg.shape[1] for p in seen} >= {4, 5}

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"classes": ("sad", "bored")}, "classes names 'bored', and no window of films has it"),
            ({"classes": ("sad",)}, "films has 1 classes to tell apart"),
            ({"validation_people": ("03", "99")}, "'99' is nobody of films"),
            ({"kept_out": ("00", "01", "02")}, "films has no window to train on"),
        ],
    )
    def test_what_the_store_does_not_have_is_refused(
        self, tmp_path: Path, changes: dict[str, object], sentence: str
    ) -> None:
        told = settings(tmp_path, **changes)
        with pytest.raises(UsageError, match=sentence):
            parts(told, STORE, classes_of(told, STORE))

    def test_both_heads_need_both_kinds_of_labels_in_both_parts(self, tmp_path: Path) -> None:
        unplaced = replace(STORE, valence=np.full(len(STORE.label), np.nan))
        with pytest.raises(
            UsageError, match="no window with valence and arousal to train on; set head = 'cl"
        ):
            finetune(settings(tmp_path, head="both"), store=unplaced)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"classes": ("sad", "sad")}, "classes names 'sad' twice"),
            ({"kept_out": ("03",)}, "kept_out names '03' twice"),
            ({"seed": 2**70}, "seed"),
        ],
    )
    def test_settings_that_contradict_themselves_are_refused(
        self, tmp_path: Path, changes: dict[str, object], sentence: str
    ) -> None:
        with pytest.raises(ValidationError, match=sentence):
            settings(tmp_path, **changes)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"spectrum": "real-part"}, "network.spectrum = 'real-part', where the windows .* 'log-power'"),
            ({"n_bins": 20}, "network.n_bins = 20"),
            ({"table_rows": 20}, "network.table_rows = 20"),
            ({"max_tokens": 2}, "network.max_tokens = 2, and windows of 1 s have 5"),
        ],
    )
    def test_a_network_that_cannot_read_the_windows_is_refused(
        self, tmp_path: Path, changes: dict[str, object], sentence: str
    ) -> None:
        told = settings(tmp_path / "run", network=TINY.model_copy(update=changes))
        with pytest.raises(UsageError, match=sentence):
            finetune(told, store=STORE)
        assert not (tmp_path / "run").exists()

    def test_a_run_goes_on_with_the_store_it_began_with_alone(self, tmp_path: Path) -> None:
        finetune(settings(tmp_path, epochs=1), store=STORE)
        with pytest.raises(UsageError, match=r"the run began with stores = \['films, 150 windows, "):
            finetune(settings(tmp_path, epochs=1), store=store("films", CHANNELS, people=5), resume=True)

    def test_a_table_of_the_optimiser_keeps_its_other_defaults(self, tmp_path: Path) -> None:
        told = settings(tmp_path, optimiser={"average": 0.9}).optimiser
        assert (told.learning_rate, told.backbone, told.clip, told.average) == (1e-3, 0.5, 1.0, 0.9)

    def test_a_start_on_other_windows_is_refused(self, tmp_path: Path, both: Model) -> None:
        other = store("films", CHANNELS, people=5)
        object.__setattr__(other, "spec", SPEC.model_copy(update={"band_hz": (4.0, 45.0)}))
        with pytest.raises(UsageError, match=r"reads windows with band_hz \(1.0, 45.0\) and the store has"):
            finetune(settings(tmp_path, start=both.path, network=None), store=other)


class TestFigures:
    def test_class_figures_are_kappa_and_mean_recall(self) -> None:
        label = np.array([0, 0, 0, 1, 1, -1])
        told = class_figures(np.eye(2)[[0, 0, 1, 1, 1, 0]], label)
        assert told["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
        assert told["kappa"] == pytest.approx((0.8 - 0.48) / (1 - 0.48))
        assert class_figures(np.eye(2)[[0, 0]], np.array([0, 0]))["kappa"] == 0

    def test_affect_figures_leave_out_what_has_no_place(self) -> None:
        point = np.array([[0.1, 0.2], [0.5, -0.5], [np.nan, 0.0], [-0.3, 0.4]])
        told = affect_figures(np.nan_to_num(point), np.full((4, 2), 0.1), point)
        assert told["ccc"] == pytest.approx(1)
        assert told["valence_within_1sd"] == 1


class TestAugmentation:
    def test_nothing_is_done_by_default(self) -> None:
        seen = Seen(torch.randn(4, 5, 125), torch.from_numpy(spatial_weights(CHANNELS)).expand(4, 5, 72))
        assert augmented(seen, Augmentation(), 125.0) == seen

    def test_everything_at_once_is_a_smaller_noisier_shifted_window(self) -> None:
        torch.manual_seed(0)
        seen = Seen(torch.randn(4, 5, 125), torch.from_numpy(spatial_weights(CHANNELS)).expand(4, 5, 72))
        sizes = set()
        for _ in range(12):
            told = Augmentation(shift_s=0.2, noise=0.1, fewest_channels=0.6)
            eeg, spatial, _ = augmented(seen, told, 125.0)
            assert eeg.shape[1] == spatial.shape[1]
            sizes.add(eeg.shape[1])
        assert sizes == {3, 4, 5}


class TestEnsemble:
    def test_one_model_alone_says_what_it_says(self, both: Model) -> None:
        six = extract(torch.from_numpy(STORE.windows[:6]), CHANNELS, 125.0, SPEC)
        for one, other in zip(Ensemble([both, both])(six), answer(both, six), strict=True):
            torch.testing.assert_close(one, other)

    def test_disagreement_widens_the_deviation(self, both: Model, tmp_path: Path) -> None:
        told = settings(tmp_path, head="both", epochs=1, seed=2)
        other = load_checkpoint(finetune(told, store=STORE))
        six = extract(torch.from_numpy(STORE.windows[:6]), CHANNELS, 125.0, SPEC)
        one, two = answer(both, six), answer(other, six)
        said = Ensemble([both, other])(six)
        torch.testing.assert_close(said.mean, (one.mean + two.mean) / 2)
        torch.testing.assert_close(said.probabilities.sum(1), torch.ones(6))
        between = ((one.mean - two.mean) / 2) ** 2
        torch.testing.assert_close(said.sd**2, (one.sd**2 + two.sd**2) / 2 + between)

    def test_models_of_other_classes_do_not_go_together(self, both: Model, tmp_path: Path) -> None:
        other = load_checkpoint(finetune(settings(tmp_path, classes=("sad", "happy"), epochs=1), store=STORE))
        with pytest.raises(ModelError, match="differ in their signal or classes"):
            Ensemble([both, other])
        with pytest.raises(ModelError, match="no models"):
            Ensemble([])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('head = "mood"', "head = 'mood': input should be 'classes', 'affect' or 'both'"),
        ('start = "a.safetensors"\n[network]\nd_model = 16', "start and network are both given"),
        ("validation_people = 1.5", "validation_people = 1.5 is no part of everyone"),
        ("[augmentation]\nnoise = -1", "augmentation.noise = -1"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f'out = "run"\nname = "x"\nlicence = "x"\nstore = "x.h5"\n{line}\n')
    with pytest.raises(InputFileError, match=sentence) as refused:
        read_finetuning(file)
    assert str(refused.value).startswith(str(file))


@pytest.fixture(scope="module")
def loud() -> MemoryStore:
    gain = np.repeat(10 ** np.random.default_rng(3).uniform(-0.5, 1.5, 5), 30)[:, None, None]
    return replace(STORE, windows=(STORE.windows * gain).astype(np.float32))


@pytest.fixture(scope="module")
def relative(loud: MemoryStore, tmp_path_factory: pytest.TempPathFactory) -> Model:
    told = settings(tmp_path_factory.mktemp("relative"), epochs=14, centring={"place": "power"})
    return load_checkpoint(finetune(told, store=loud))


class TestCentring:
    """People differ far more in loudness than feelings do; once a rest is taken off that is gone."""

    def test_the_checkpoint_says_so_and_tells_what_was_planted(self, relative: Model) -> None:
        assert relative.info.centring == Centring(place="power")
        assert "the person's own rest taken off" in relative.training_data
        assert relative.info.figures["validation/kappa"] > 0.5

    def test_a_run_that_goes_on_from_it_has_to_take_the_same_off(
        self, tmp_path: Path, loud: MemoryStore, relative: Model
    ) -> None:
        on = settings(tmp_path, start=relative.path, network=None, epochs=1)
        with pytest.raises(UsageError, match=r'set place = "power" under \[centring\]'):
            finetune(on, store=loud)
        same = on.model_copy(update={"centring": Relative(place="power")})
        on_it = load_checkpoint(finetune(same, store=loud))
        assert on_it.info.figures["validation/kappa"] > 0.4, "it starts from what the other had learnt"

    def test_weights_that_knew_no_baseline_get_the_statistics_of_what_is_left(
        self, tmp_path: Path, loud: MemoryStore, both: Model
    ) -> None:
        told = settings(tmp_path, start=both.path, network=None, epochs=1, centring={})
        mean = load_checkpoint(finetune(told, store=loud)).network.encoder.spectral.mean
        assert not torch.allclose(mean, both.network.encoder.spectral.mean)

    def test_a_stopped_run_goes_on_bit_for_bit_with_smaller_caps_too(
        self, tmp_path: Path, loud: MemoryStore
    ) -> None:
        changes = {"centring": {}, "augmentation": {"fewest_channels": 0.6}, "epochs": 2}
        straight = load_checkpoint(finetune(settings(tmp_path / "straight", **changes), store=loud))
        with pytest.raises(Interrupted):
            finetune(settings(tmp_path / "parts", **changes), store=loud, watch=stopped_after(6))
        resumed = load_checkpoint(finetune(settings(tmp_path / "parts", **changes), store=loud, resume=True))
        for name, tensor in straight.network.state_dict().items():
            assert torch.equal(resumed.network.state_dict()[name], tensor), name
