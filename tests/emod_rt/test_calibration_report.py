"""The end of a calibration: stored, told in plain words, and on one page that needs nothing beside it."""

import base64
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from emod_model.calibration.fit import calibrate
from emod_model.checkpoint import load_checkpoint
from emod_model.errors import UsageError
from emod_rt.calibration import figures, store
from emod_rt.calibration.finish import finish
from emod_rt.calibration.from_recording import CalibrationRun, Quality, Trial
from emod_rt.calibration.numbers import learning_curve, numbers_of
from emod_rt.calibration.verdict import advice, meaning
from tests.emod_rt.doubles import CHANNELS
from tests.emod_rt.profiles import fitted, session

HOSTILE = "<script>alert(1)</script> & $x_1$ [red]"


@pytest.fixture(scope="module")
def model(untrained):
    return load_checkpoint(untrained)


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOD_RT_DATA", str(tmp_path / "data"))
    return tmp_path


def run_of(seen, folder, **changes) -> CalibrationRun:
    """A session as it comes out of its recording."""
    channels = seen.trials[0].channels
    quality = Quality(36, 39, {"bad-signal": 3}, (0.9,) * len(channels))
    trials = tuple(
        Trial(
            k + 1,
            1,
            HOSTILE if k == 0 else f"memory {k}",
            None,
            *(int(x) for x in 4 * rating + 5),
            0,
            45,
            quality,
        )
        for k, rating in enumerate(seen.ratings)
    )
    rest = Quality(50, 52, {"gap": 2}, (1.0,) * len(channels))
    run = CalibrationRun(
        seen,
        "ada",
        trials,
        rest,
        channels,
        250.0,
        True,
        False,
        1,
        folder / "sub-ada_eeg.xdf",
        ("Trial 9 <b>.",),
    )
    return replace(run, **changes)


def done(model, folder, worth=(1.0, 0.0), **changes):
    console = Console(file=io.StringIO(), width=300)
    seen = session(worth=worth, seed=4, width=model.info.network.d_model)
    result = finish(run_of(seen, folder, **changes), model, console, draws=39, rich=False)
    return result, console.file.getvalue()


@pytest.fixture(scope="module")
def usual(model, tmp_path_factory):
    """Result, page, and what was said, of a person of whom valence can be read and arousal cannot."""
    folder = tmp_path_factory.mktemp("usual")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMOD_RT_DATA", str(folder))
        result, said = done(model, folder)
        assert store.load("ada") == result.profile
    return result, result.report.page.read_text(encoding="utf-8"), said


def test_the_verdict_is_said_in_words_and_so_are_the_places(usual):
    result, _, said = usual
    assert "Valence: shown to be better than always saying this person's average." in said
    assert "Arousal: not shown to be better than always saying this person's average." in said
    assert "What to do: More trials help most" in said
    assert str(result.report.page) in said
    assert "--user ada" in said
    assert "note: Trial 9 <b>." in said


def test_the_earlier_profile_and_report_are_kept_and_their_places_told(model, usual, data):
    first, _, _ = usual
    store.save(first.profile)
    (data / "sub-ada_eeg_calibration.json").write_text("mine")
    again, said = done(model, data)
    assert store.read(again.kept) == first.profile
    assert again.kept.name in said
    assert again.report.page.name == "sub-ada_eeg_calibration-2.html"
    assert (data / "sub-ada_eeg_calibration.json").read_text() == "mine"


def test_a_name_that_cannot_be_stored_is_refused_before_anything_is_fitted(model, data):
    with pytest.raises(UsageError, match="cannot be a user's name"):
        done(model, data, user="../ada")
    assert list(data.iterdir()) == []


def test_the_page_needs_nothing_beside_it_and_runs_nothing(usual):
    _, page, _ = usual
    assert not re.search(
        r"https?://|//|@import|url\(|<script|<link|<iframe|\son\w+=", re.sub('base64,[^"]*', "", page)
    )
    sources = re.findall(r'src="([^"]{0,40})', page)
    assert len(sources) == 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "default-src 'none'" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; $x_1$ [red]" in page
    assert "Trial 9 &lt;b&gt;." in page


def test_every_picture_can_be_seen_and_has_words_for_those_who_do_not_see_it(usual):
    _, page, _ = usual
    pictures = re.findall(r'base64,([^"]+)" alt="([^"]+)"', page)
    for code, words in pictures:
        pixels = imread(io.BytesIO(base64.b64decode(code)))
        assert pixels.shape[1] > 1400
        assert pixels.std() > 0.02
        assert len(words) > 30


def test_the_page_says_what_it_is_worth_and_what_to_do(usual):
    _, page, _ = usual
    text = " ".join(re.sub(r"<[^>]+>", " ", page.split("</style>")[1]).split())
    for part in (
        "Calibration of ada",
        "SIMULATED. The signal is simulated",
        "Valence: shown to be better than always saying this person&#x27;s average",
        "Arousal: not shown to be better than always saying this person&#x27;s average LOW CONFIDENCE",
        "of 100 tries",
        "What to do: More trials help most",
        "always the average",
        "the model as it is for everybody",
        "ridge 1000",
        "3 with a bad signal",
    ):
        assert part in text, part


def test_equal_ratings_are_told_as_such_and_no_error_is_claimed_to_be_smaller():
    seen = replace(session(), ratings=np.full((8, 2), 0.5))
    numbers = calibrate(seen, None, draws=9, rich=False).judged.verdicts
    assert [verdict.word for verdict in numbers] == ["not shown to be better"] * 2
    assert {meaning(verdict) for verdict in numbers} == {
        "Every trial was rated the same, so there is nothing that a reading could follow: take it for a "
        "guess. It is marked low confidence."
    }


def test_after_equal_ratings_the_advice_is_to_use_the_scale_and_not_to_sit_through_more(usual):
    profile = usual[0].profile
    good, bad = profile.verdicts
    alike = replace(bad, mean_rmse=0.0)

    def told(*verdicts):
        return advice(profile.model_copy(update={"verdicts": verdicts}))

    assert told(good, good) == ""
    assert "with the whole scale" not in told(good, bad)
    assert "More trials help most" in told(good, bad)
    for verdicts in ((good, alike), (alike, alike)):
        assert "with the whole scale" in told(*verdicts)
        assert "More trials" not in told(*verdicts)
    assert "More trials help most" in told(bad, alike)
    assert "with the whole scale" in told(bad, alike)


def test_what_is_better_on_both_axes_needs_no_advice_and_what_is_real_no_badge(model, data):
    real = replace(model, info=model.info.model_copy(update={"simulated": False}))
    result, said = done(real, data, worth=(1.0, 1.0), simulated=False)
    page = result.report.page.read_text(encoding="utf-8")
    for text in (said, page):
        assert "SIMULATED" not in text
        assert "What to do" not in text
        assert "LOW CONFIDENCE" not in text
    assert result.profile.simulated is False
    assert "SIMULATED" in done(model, data, simulated=False)[1], "the model's own mark is kept"


def test_the_numbers_beside_the_page_are_those_of_the_calibration(usual):
    result, _, _ = usual
    told = json.loads(result.report.numbers.read_text(), parse_constant=lambda name: pytest.fail(name))
    assert told["simulated"] is True
    for k, axis in enumerate(told["axes"]):
        verdict = result.profile.verdicts[k]
        assert axis["verdict"]["word"] == verdict.word
        assert axis["verdict"]["p"] == verdict.p
        assert axis["read"] == pytest.approx([4 * pair[k] + 5 for pair in result.profile.estimates], abs=1e-4)
        assert axis["rated"] == pytest.approx([4 * pair[k] + 5 for pair in result.profile.ratings], abs=1e-4)
        assert axis["half_width"] == pytest.approx(4 * result.calibration.errors[k].half_width(0.6827))
        assert [len(course) for course in axis["courses"]] == [len(times) for times in told["course_s"]]
    assert told["learning_curve"]["trials"] == [4, 5, 6, 7, 8]
    assert told["trials"][0]["stimulus"] == HOSTILE


def test_the_last_step_of_the_learning_curve_is_the_error_of_the_whole_session(model):
    seen, calibration = fitted(model, seed=4)
    curve = learning_curve(seen, None)
    for k in (0, 1):
        assert curve.error[k][-1] == pytest.approx(4 * calibration.judged.verdicts[k].rmse)
        assert curve.average[k][-1] == pytest.approx(4 * calibration.judged.verdicts[k].mean_rmse)


def test_a_recording_whose_folder_takes_nothing_has_its_report_here(model, data, monkeypatch):
    (data / "here").mkdir()
    monkeypatch.chdir(data / "here")
    result, _ = done(model, data, recording=data / "gone" / "s.xdf")
    assert result.report.page.parent == data / "here"
    assert result.report.numbers.exists()


def test_many_electrodes_and_trials_and_no_rest_are_drawn_without_a_complaint(model, data):
    names = tuple(f"C{k}" for k in range(64))
    seen, calibration = fitted(model, n=5, channels=CHANNELS)
    run = run_of(seen, data)
    nothing = Quality(0, 0, {}, (0.0,) * 64)
    wide = tuple(replace(trial, quality=replace(trial.quality, good=(0.5,) * 64)) for trial in run.trials)
    numbers = numbers_of(
        replace(run, channels=names, rest=nothing, trials=wide), calibration, learning_curve(seen, None)
    )
    for picture in (
        figures.quality(numbers),
        figures.courses(numbers, [trial.t - trial.t[0] for trial in seen.trials]),
        figures.scatter(numbers),
    ):
        assert picture.startswith(b"\x89PNG")
