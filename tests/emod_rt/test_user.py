"""A run with a profile: the same live and offline, refused when it does not fit, never overstated."""

import dataclasses
import json
import re
import sys

import numpy as np
import pytest
import pyxdf

from emod_model.calibration.interval import ONE_SD
from emod_model.checkpoint import load_checkpoint
from emod_model.errors import InputFileError, ModelError, UsageError
from emod_rt.calibration import store
from emod_rt.calibration.person import Person, load_profile
from emod_rt.cli import main
from emod_rt.engine import Inference
from emod_rt.estimate import Estimate
from emod_rt.markers import Marker, typed_stream
from emod_rt.offline import OfflineRun
from emod_rt.recording.streams import affect_stream
from emod_rt.session import Session
from emod_rt.sources.base import StreamInfo
from emod_rt.torchscript import TorchScriptEngine
from tests.emod_rt.doubles import CHANNELS, ManualClock, ScriptedMarkers, ScriptedSource, chunks_of, eeg
from tests.emod_rt.profiles import profile_for


@pytest.fixture(scope="module")
def model(untrained):
    return load_checkpoint(untrained)


@pytest.fixture(scope="module")
def ada(model):
    """A profile of a person of whom arousal cannot be read."""
    profile = profile_for(model, worth=(1.0, 0.0), seed=4)
    assert profile.low_confidence == (False, True)
    return profile


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOD_RT_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def numbers(estimates):
    return [dataclasses.replace(estimate, latency_ms=0.0) for estimate in estimates]


def offline(model, profile, chunks, channels=CHANNELS):
    engine = TorchScriptEngine(model, views=profile is not None)
    wears = None if profile is None else lambda names: Person(profile, model, names)
    run = OfflineRun(ScriptedSource([[c] for c in chunks], channels=channels), engine, ManualClock(), wears)
    return list(run)


def live(model, profile, chunks, **options):
    options.setdefault("markers", ScriptedMarkers())
    source = ScriptedSource([[chunk] for chunk in chunks])
    with Session(source, model, user=profile, clock=ManualClock(), **options) as session:
        estimates = list(session)
    return estimates, session


# the same numbers


def test_live_and_offline_agree_to_the_last_bit_however_the_samples_come(model, ada):
    data = eeg(4000)
    data[2, 2000:2600] = 0.0
    cut = [*chunks_of(data[:, :1700], 50), *chunks_of(data[:, 1736:], 50, first=1736)]
    expected, _ = live(model, ada, cut)
    assert sum(estimate.valid for estimate in expected) > 10
    for size in (1, 7, 1000):
        again = [*chunks_of(data[:, :1700], size), *chunks_of(data[:, 1736:], size, first=1736)]
        assert numbers(offline(model, ada, again)) == numbers(expected)


def test_a_profile_changes_the_reading_and_its_deviation_is_the_half_width_of_its_interval(model, ada):
    chunks = chunks_of(eeg(3000), 100)
    plain, own = offline(model, None, chunks), offline(model, ada, chunks)
    assert [e.index for e in own] == [e.index for e in plain]
    valid = [(a, b) for a, b in zip(plain, own, strict=True) if b.valid]
    assert all(a.valence != b.valence for a, b in valid)
    for _, estimate in valid:
        assert estimate.valence_sd == pytest.approx(ada.half_width(0, ONE_SD))
        assert estimate.arousal_sd == pytest.approx(ada.half_width(1, ONE_SD))


def test_without_a_user_the_engine_does_what_it_always_did(model):
    window = eeg(375, channels=4)
    plain, with_views = TorchScriptEngine(model), TorchScriptEngine(model, views=True)
    one, other = plain.infer(window, CHANNELS), with_views.infer(window, CHANNELS)
    assert one.views is None
    assert other.views.shape == (5, model.info.network.d_model)
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-6)
    assert np.array_equal(one.band_power_db, other.band_power_db)


def test_the_json_lines_have_the_very_same_keys_with_a_profile(model, ada, tmp_path):
    lines = tmp_path / "e.jsonl"
    live(model, ada, chunks_of(eeg(2000), 100), jsonl=str(lines))
    *windows, last = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {tuple(window) for window in windows} == {
        ("t", "index", "valence", "arousal", "valence_sd", "arousal_sd", "valid", "reason", "latency_ms")
    }
    assert list(last["summary"]) == ["samples", "lost", "gaps", "windows", "valid", "skipped", "latency_ms"]


# what does not fit


class Untouched(ScriptedSource):
    """A source that must not be opened."""

    def open(self, wait_s):
        raise AssertionError("the source was opened")


def test_a_profile_of_another_model_is_refused_before_the_source_is_opened(model, ada):
    store.save(ada.model_copy(update={"model_sha256": "0" * 64}))
    with pytest.raises(ModelError, match="belongs to the model untrained"):
        Session(Untouched([]), model, user="ada", clock=ManualClock())


def test_electrodes_that_are_chosen_and_do_not_fit_are_refused_before_the_source_is_opened(model, ada):
    store.save(ada)
    with pytest.raises(ModelError, match="made with Fp1, Fp2, C3, C4"):
        Session(Untouched([]), model, user="ada", channels="Fp1,O1", clock=ManualClock())


def test_a_source_whose_electrodes_do_not_fit_is_released_and_leaves_no_output(model, ada, tmp_path):
    source = ScriptedSource([], channels=("Fp1", "O1", "O2"))
    session = Session(
        source, model, user=ada, clock=ManualClock(), record=tmp_path / "s.xdf", markers=ScriptedMarkers()
    )
    with pytest.raises(ModelError, match="this source has Fp1, O1, O2"):
        session.start()
    assert source.closed >= 1
    assert list(tmp_path.iterdir()) == []


def test_a_profile_of_another_networks_size_is_no_crash(model, ada, untrained):
    narrow = profile_for(model, worth=(1.0, 1.0)).model_dump()
    from emod_model.calibration.fit import calibrate
    from tests.emod_rt.profiles import session as sit

    seen = sit(width=16)
    tampered = type(ada).of(
        calibrate(seen, None, draws=3, rich=False), seen.ratings, CHANNELS, model,
        user="eve", created="2026-11-20T12:00:00Z", simulated=True,
    )  # fmt: skip
    assert narrow["model_sha256"] == tampered.model_sha256
    store.save(tampered)
    with pytest.raises(InputFileError, match="16 features where its model has 32"):
        load_profile("eve", model)


@pytest.mark.parametrize("name", ["run", "process"])
def test_the_command_line_ends_with_the_right_code(name, ada, untrained, tmp_path, monkeypatch, capsys):
    store.save(ada.model_copy(update={"user": "other", "model_sha256": "0" * 64}))
    store.save(ada.model_copy(update={"user": "broken"}))
    store.path_of("broken").write_text("{")
    rows = np.column_stack([np.arange(1500) / 250, eeg(1500).T])
    file = tmp_path / "s.csv"
    np.savetxt(file, rows, delimiter=",", header="time,Fp1,Fp2,C3,C4", comments="", fmt="%.4f")
    words = ["process", str(file)] if name == "process" else ["run", "--headless", "--source", f"file:{file}"]
    for user, code, sentence in (
        ("nobody", 2, "there are those of broken, other"),
        ("../x", 2, "cannot be a user's name"),
        ("broken", 3, "no whole profile"),
        ("other", 5, "belongs to the model"),
    ):
        monkeypatch.setattr(sys, "argv", ["emod-rt", *words, "--model", str(untrained), "--user", user])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == code, said
        assert sentence in " ".join(said.split())
        assert len(said.splitlines()) == 1


def test_run_and_process_print_the_same_and_say_whose_profile_it_is(
    ada, untrained, tmp_path, monkeypatch, capsys
):
    store.save(ada)
    monkeypatch.setenv("COLUMNS", "300")
    rows = np.column_stack([np.arange(1750) / 250, eeg(1750)[:3].T])
    file = tmp_path / "s.csv"
    np.savetxt(file, rows, delimiter=",", header="time,Fp1,Fp2,C3", comments="", fmt="%.4f")
    printed = []
    for words in (
        ["process", str(file), "--chunk", "17"],
        ["run", "--headless", "--source", f"file:{file}"],
    ):
        lines = tmp_path / f"{words[0]}.jsonl"
        monkeypatch.setattr(
            sys,
            "argv",
            ["emod-rt", *words, "--model", str(untrained), "--user", "ada", "--jsonl", str(lines)],
        )
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == 0, said
        assert "profile of ada, 2026-11-20, 8 rated trials   SIMULATED" in said
        assert "LOW CONFIDENCE: arousal" in said
        assert "C4 of the calibration is absent here" in said
        found = [json.loads(line) for line in lines.read_text().splitlines()[:-1]]
        printed.append([{k: v for k, v in row.items() if k != "latency_ms"} for row in found])
    assert printed[0] == printed[1]
    assert sum(row["valid"] for row in printed[0]) >= 5


# what it is worth


def test_low_confidence_and_simulated_are_on_the_picture_of_the_session(model, ada):
    real = dataclasses.replace(model, info=model.info.model_copy(update={"simulated": False}))
    for profile, simulated in ((ada, True), (ada.model_copy(update={"simulated": False}), False)):
        _, session = live(real, profile, chunks_of(eeg(500), 100))
        view = session.view()
        assert (view.user, view.low_confidence) == ("ada", ("arousal",))
        assert view.model_simulated is simulated
    _, session = live(real, None, chunks_of(eeg(500), 100))
    assert (session.view().user, session.view().low_confidence) == ("", ())


def test_a_recording_says_what_its_estimates_are_worth(model, ada, tmp_path):
    live(model, ada, chunks_of(eeg(1500), 100), record=tmp_path / "s.xdf")
    streams, _ = pyxdf.load_xdf(str(tmp_path / "s.xdf"), dejitter_timestamps=False)
    (affect,) = [stream for stream in streams if stream["info"]["type"] == ["Affect"]]
    (desc,) = affect["info"]["desc"]
    (calibration,) = desc["calibration"]
    assert calibration["user"] == ["ada"]
    assert calibration["low_confidence"] == ["arousal"]
    assert desc["calibrated"] == ["true"]
    assert desc["simulated"] == ["true"]


def test_the_description_without_a_profile_says_that_nobody_was_calibrated(model):
    plain = affect_stream(model, StreamInfo("x", 250.0, CHANNELS)).metadata.desc
    assert "<calibrated>false</calibrated>" in plain
    assert "low_confidence" not in plain


# while it runs


def window(rng, t, offset=0.0, width=32):
    views = rng.normal(0, 1, (5, width)) + offset
    return t, Inference(np.zeros(2), np.full(2, 0.3), np.zeros((4, 5)), views), np.zeros((4, 5))


def told(person, t, value=(0.0, 0.0)):
    person.publish(Estimate(t, round(250 * t), *value, 0.3, 0.3, None, 1.0))


def rating(person, text, t):
    person.hear(Marker(t, (text,), typed_stream()))


def test_an_absent_electrode_is_said_to_be_made_up_for_only_where_that_could_be_measured(model, ada):
    base = ada.baseline
    measured = ada.model_copy(
        update={
            "baseline": base.model_copy(
                update={"without_views": tuple(((0.1,) * len(v[0]),) * len(v) for v in base.without_views)}
            )
        }
    )
    (said, _) = Person(measured, model, CHANNELS[:3]).notes()
    assert said == "C4 of the calibration is absent here; that is made up for, and readings are less sure"
    # an electrode was bad through the whole rest, say
    (said, _) = Person(ada, model, CHANNELS[:2]).notes()
    assert said == (
        "C3, C4 of the calibration are absent here; what that does could not be measured at rest, so nothing "
        "makes up for it and readings may be off; calibrate anew with the electrodes of now"
    )


def test_ratings_that_come_during_a_run_move_the_intervals(model, ada):
    rng = np.random.default_rng(0)
    person = Person(ada, model, CHANNELS)
    _, first = person.read(*window(rng, 1.0))
    # the person says 9, 9 again and again while the reading says -1, -1
    for k in range(6):
        told(person, 2.0 + k, (-1.0, -1.0))
        rating(person, "rating 9 9", 2.1 + k)
    _, wider = person.read(*window(rng, 9.0))
    assert (wider > first).all()
    for k in range(12):
        told(person, 10.0 + k, (0.5, 0.5))
        rating(person, " Rating 7 7 ", 10.1 + k)
    _, narrower = person.read(*window(rng, 30.0))
    assert (narrower < wider).all()
    assert person.notices() == ()


@pytest.mark.parametrize(
    "text", ["rating", "rating 7", "rating 0 5", "rating 10 5", "rating 7 3 2", "rating x y", "7"]
)
def test_other_markers_are_left_alone(model, ada, text):
    rng = np.random.default_rng(0)
    person = Person(ada, model, CHANNELS)
    _, before = person.read(*window(rng, 1.0))
    for k in range(20):
        told(person, 2.0 + k, (-1.0, -1.0))
        rating(person, text, 2.1 + k)
    _, after = person.read(*window(rng, 30.0))
    assert np.array_equal(before, after)


def test_a_rating_with_nothing_to_compare_it_with_is_said_to_count_for_nothing(model, ada):
    rng = np.random.default_rng(0)
    person = Person(ada, model, CHANNELS)
    told(person, 2.0)
    rating(person, "rating 7 3", 20.0)
    _, widths = person.read(*window(rng, 21.0))
    assert person.notices() == (
        "The rating at 20 s counts for nothing, as nothing could be read in the 10 s before it.",
    )
    assert widths[0] == pytest.approx(ada.half_width(0, ONE_SD))


def test_slow_change_is_followed_and_forgotten_on_command(model, ada):
    person = Person(ada, model, CHANNELS)
    _, still, bands = window(np.random.default_rng(0), 0.0)
    moved = dataclasses.replace(still, views=still.views + 0.5)
    first, _ = person.read(0.0, moved, bands)
    for second in range(1, 2400):
        followed, _ = person.read(float(second), moved, bands)
    assert not np.allclose(followed, first, atol=1e-3)
    rating(person, "reset baseline", 2400.0)
    again, _ = person.read(2400.0, moved, bands)
    np.testing.assert_allclose(again, first, atol=1e-12)


def test_leaving_the_calibrations_range_is_said_once_and_so_is_the_return(model, ada):
    rng = np.random.default_rng(0)
    person, said = Person(ada, model, CHANNELS), []
    for second in range(600):
        far = 12.0 if 100 <= second < 180 else 0.0
        person.read(*window(rng, float(second), offset=far))
        for sentence in person.notices():
            if sentence not in said:
                said.append(sentence)
    assert len(said) == 2
    left, back = said
    assert re.match(r"Since 1:\d\d the signal is unlike anything in the calibration of ada", left)
    assert "reset the baseline" in left
    assert re.match(r"Since \d:\d\d the signal is within the range of the calibration of ada again", back)


def test_a_session_resets_its_baseline_and_marks_that(model, ada):
    class Asking(ScriptedSource):
        def read(self, timeout_s):
            if len(self._script) == 5:
                session.reset_baseline()
            return super().read(timeout_s)

    source = Asking([[chunk] for chunk in chunks_of(eeg(2000), 100)])
    session = Session(source, model, user=ada, clock=ManualClock(), markers=ScriptedMarkers())
    with session:
        list(session)
    assert [marker.text for marker in session.view().markers] == ["reset baseline"]


def test_without_a_profile_there_is_no_baseline_to_reset(model):
    session = Session(ScriptedSource([]), model, clock=ManualClock())
    with pytest.raises(UsageError, match="--user NAME"):
        session.reset_baseline()


def test_ratings_come_from_the_network_too_though_nothing_is_recorded(model, ada):
    network = ScriptedMarkers([typed_stream()], [Marker(0.5, ("rating 7 3",), typed_stream())])
    _, session = live(model, ada, chunks_of(eeg(2500), 100), markers=network)
    assert network.closed
    assert any("counts for nothing" in notice for notice in session.view().notices)
