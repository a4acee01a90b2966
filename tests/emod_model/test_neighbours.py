"""An electrode that hears nothing of what those around it hear is no electrode on a head."""

import numpy as np
import numpy.typing as npt
import pytest

from emod_model.errors import UsageError
from emod_model.montage import CYTON, DAISY
from emod_model.signal.neighbours import Neighbours
from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import Windower
from emod_model.simulate.person import SimulatedPerson
from emod_model.training.montages import MUSE, TEN_TWENTY

SPEC = SignalSpec()
RNG = np.random.default_rng(0)


def head(n_channels: int, own: float = 0.7) -> npt.NDArray[np.float64]:
    """Channels that share one signal and have noise of their own."""
    shared = RNG.normal(size=SPEC.window_samples)
    return np.asarray(10 * (shared + own * RNG.normal(size=(n_channels, SPEC.window_samples))))


def living(n: int, *dead: int) -> npt.NDArray[np.bool_]:
    result = np.ones(n, dtype=np.bool_)
    result[list(dead)] = False
    return result


def test_a_head_is_like_itself() -> None:
    found = Neighbours(TEN_TWENTY).compare(head(19), living(19))
    assert found.value.min() > 0.5
    assert not found.severity.any()
    assert not found.unlike.any()


def test_noise_among_neighbours_is_unlike_them() -> None:
    window = head(19)
    window[7] = RNG.normal(0, 10, SPEC.window_samples)
    found = Neighbours(TEN_TWENTY).compare(window, living(19))
    assert np.flatnonzero(found.unlike).tolist() == [7]
    assert found.severity[7] == 1.0


def test_an_upside_down_channel_is_still_like_its_neighbours() -> None:
    window = head(19)
    window[4] *= -1
    assert not Neighbours(TEN_TWENTY).compare(window, living(19)).unlike.any()


def test_on_a_dense_cap_only_the_electrodes_around_count() -> None:
    window = head(19)
    frontal, occipital = TEN_TWENTY.index("Fp1"), TEN_TWENTY.index("O1")
    window[frontal] = RNG.normal(0, 10, SPEC.window_samples)
    window[occipital] = window[frontal]
    assert Neighbours(TEN_TWENTY).compare(window, living(19)).unlike[[frontal, occipital]].all()


def test_eight_electrodes_are_compared_with_all_others() -> None:
    window = head(8)
    window[1] = RNG.normal(0, 10, SPEC.window_samples)
    assert np.flatnonzero(Neighbours(CYTON).compare(window, living(8)).unlike).tolist() == [1]


def test_four_electrodes_make_a_channel_poor_and_never_bad() -> None:
    window = head(4)
    window[0] = RNG.normal(0, 10, SPEC.window_samples)
    found = Neighbours(MUSE).compare(window, living(4))
    assert not found.unlike.any()
    assert found.severity[0] > 0
    assert not found.severity[1:].any()


def test_dead_neighbours_condemn_nobody() -> None:
    window = head(19)
    names = list(TEN_TWENTY)
    dead = [names.index(name) for name in ("Fp2", "F3", "F4", "F7", "Fz", "F8")]
    window[dead] = 0.0
    found = Neighbours(TEN_TWENTY).compare(window, living(19, *dead))
    assert not found.unlike[names.index("Fp1")]
    assert found.value[names.index("Fp1")] > 0.5


def test_a_lone_survivor_is_not_judged() -> None:
    found = Neighbours(CYTON).compare(head(8), living(8, *range(1, 8)))
    assert not found.unlike.any()


def test_windows_leave_out_what_is_unlike_its_neighbours_however_they_are_chunked() -> None:
    data = SimulatedPerson(3, DAISY, 250.0).generate(250 * 12)
    data[5] = RNG.normal(0, 20, data.shape[1])
    whole = Windower(SPEC, 250.0, 16, channels=DAISY).push(0, data)
    windower, pieces = Windower(SPEC, 250.0, 16, channels=DAISY), []
    for at in range(0, data.shape[1], 37):
        pieces += windower.push(at, data[:, at : at + 37])
    assert [window.quality for window in pieces] == [window.quality for window in whole]
    judged = [window.quality[5] for window in whole if window.quality]
    assert {(channel.good, channel.reason) for channel in judged} == {(False, "unlike neighbours")}
    assert all(channel.measured is not None and channel.measured.likeness is not None for channel in judged)


def test_without_names_nobody_is_compared() -> None:
    data = RNG.normal(0, 15, (16, 250 * 6))
    last = Windower(SPEC, 250.0, 16).push(0, data)[-1]
    assert {channel.reason for channel in last.quality} == {None}
    named = Windower(SPEC, 250.0, 16, channels=DAISY).push(0, data)[-1]
    assert {channel.reason for channel in named.quality} == {"unlike neighbours"}


def test_where_most_are_unlike_each_other_nobody_is_left_out_and_all_are_poor() -> None:
    data = RNG.normal(0, 15, (16, 250 * 6))
    last = Windower(SPEC, 250.0, 16, channels=DAISY).push(0, data)[-1]
    assert last.valid
    assert max(channel.score for channel in last.quality) < 0.5


def test_names_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="8 electrodes are named for 4 channels"):
        Windower(SPEC, 250.0, 4, channels=CYTON)
    with pytest.raises(UsageError, match="'Q9' is not a 10-05 electrode"):
        Windower(SPEC, 250.0, 1, channels=["Q9"])
