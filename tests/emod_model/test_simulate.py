"""The simulated person: a stream from a seed, with the effects that its documentation states."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import welch

from emod_model.errors import UsageError
from emod_model.montage import positions
from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import condition_recording
from emod_model.simulate import RHYTHMS, SimulatedPerson, Trials, Wandering
from emod_model.simulate.head import leadfield
from emod_model.simulate.traits import draw_traits

TEN_TWENTY = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8"),
    *("P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)


def log_band_power(
    eeg: npt.NDArray[np.floating], sfreq: float, low: float, high: float
) -> npt.NDArray[np.floating]:
    frequencies, power = welch(eeg, sfreq, nperseg=round(2 * sfreq))
    return np.log(power[:, (frequencies >= low) & (frequencies <= high)].sum(1))


class TestStream:
    @pytest.mark.parametrize("sfreq", [125.0, 256.0])
    def test_gives_the_same_bits_however_it_is_asked(self, sfreq: float) -> None:
        n = round(3.7 * sfreq)
        whole = SimulatedPerson(5, ("Fz", "O1", "T7"), sfreq).generate(n)
        person = SimulatedPerson(5, ("Fz", "O1", "T7"), sfreq)
        sizes = [1, 0, 37, 300, 2, n - 340]
        parts = [person.generate(size) for size in sizes]
        assert [part.shape[1] for part in parts] == sizes
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
        assert person.position == n

    def test_is_float32_microvolts_with_electrode_offsets(self) -> None:
        eeg = SimulatedPerson(0, TEN_TWENTY, 250).generate(500)
        assert eeg.shape == (19, 500)
        assert eeg.dtype == np.float32
        assert np.abs(eeg.mean(1)).max() > 1000

    def test_two_seeds_are_two_people(self) -> None:
        one, other = (SimulatedPerson(seed, ("Cz",), 250) for seed in (1, 2))
        assert one.traits != other.traits
        assert not np.array_equal(one.generate(100), other.generate(100))
        assert not np.allclose(one.affect(np.arange(5000)), other.affect(np.arange(5000)))

    def test_a_person_is_the_same_on_every_cap_and_rate(self) -> None:
        one, other = SimulatedPerson(3, ("Cz",), 128), SimulatedPerson(3, TEN_TWENTY, 500)
        assert one.traits == other.traits
        np.testing.assert_allclose(one.affect([0, 1280]), other.affect([0, 5000]))

    @pytest.mark.parametrize("sfreq", [125, 128, 200, 250, 256, 500, 512, 1000])
    def test_any_rate_carries_the_same_amplitude(self, sfreq: float) -> None:
        person = SimulatedPerson(4, ("C3", "Pz", "F4", "P8"), sfreq)
        windows = condition_recording(person.generate(round(25 * sfreq)), sfreq, SignalSpec(), hop_s=3.0)
        deviation = np.median([w.eeg.std() for w in windows if w.eeg is not None])
        assert 5 < deviation < 20

    @pytest.mark.parametrize(
        "channels", [("Oz",), ("TP9", "AF7", "AF8", "TP10"), ("T3", "fp1", "AFz", "Iz", "FT9")]
    )
    def test_any_electrodes(self, channels: tuple[str, ...]) -> None:
        person = SimulatedPerson(4, channels, 250)
        eeg = person.generate(250)
        assert len(person.channels) == len(channels)
        assert np.isfinite(eeg).all()
        assert (eeg.std(1) > 1).all()

    @pytest.mark.parametrize(
        ("seed", "channels", "sfreq", "said"),
        [(-1, ("Cz",), 250, "-1"), (1, ("Cz",), 64, "64"), (1, (), 250, "none"), (1, ("Cx",), 250, "Cx")],
    )
    def test_refuses_what_it_cannot_be(
        self, seed: int, channels: tuple[str, ...], sfreq: float, said: str
    ) -> None:
        with pytest.raises(UsageError, match=said):
            SimulatedPerson(seed, channels, sfreq)


class TestTrajectory:
    def test_wanders_smoothly_over_the_whole_plane_within_bounds(self) -> None:
        path = Wandering(7)(np.arange(0, 3600, 0.5))
        assert np.abs(path).max() <= 1
        assert (path.std(0) > 0.4).all()
        assert np.abs(np.diff(path, axis=0)).max() < 0.3

    def test_axes_are_unrelated_over_people(self) -> None:
        t = np.arange(0, 600, 5.0)
        paths = np.concatenate([Wandering(seed)(t) for seed in range(60)])
        assert abs(np.corrcoef(paths.T)[0, 1]) < 0.1

    def test_trials_hold_their_points(self) -> None:
        trials = Trials([(0.5, -0.5), (-1, 1)], trial_s=10, ramp_s=2)
        np.testing.assert_allclose(
            trials([0, 9.9, 12, 19, 32]), [(0.5, -0.5)] * 2 + [(-1, 1)] * 2 + [(-1, 1)]
        )
        valence, arousal = trials(11.0)
        assert -1 < valence < 0.5
        assert -0.5 < arousal < 1

    @pytest.mark.parametrize("points", [[(2.0, 0.0)], [0.1, 0.2], []])
    def test_refuses_points_outside_the_plane(self, points: list[object]) -> None:
        with pytest.raises(UsageError, match="trials"):
            Trials(points)

    def test_is_what_drives_the_person(self) -> None:
        person = SimulatedPerson(1, ("Cz",), 250, trajectory=Trials([(0.3, -0.2)]))
        np.testing.assert_allclose(person.affect([0, 77]), [(0.3, -0.2)] * 2)


class TestHead:
    def test_matches_the_sphere_of_mne(self) -> None:
        mne = pytest.importorskip("mne")
        names = ["Fp1", "Cz", "T7", "O2", "TP9"]
        electrodes = positions(names)
        rng = np.random.default_rng(0)
        dipoles = rng.normal(size=(12, 3))
        dipoles *= rng.uniform(0.3, 0.85, (12, 1)) / np.linalg.norm(dipoles, axis=1, keepdims=True)
        dipoles[:, 2] = np.abs(dipoles[:, 2])
        moments = rng.normal(size=(12, 3))
        moments /= np.linalg.norm(moments, axis=1, keepdims=True)
        radius = 0.09
        info = mne.create_info(names, 250.0, "eeg")
        montage = mne.channels.make_dig_montage(
            dict(zip(names, electrodes * radius, strict=True)), coord_frame="head"
        )
        info.set_montage(montage)
        sphere = mne.make_sphere_model((0, 0, 0), radius, verbose="error")
        space = mne.setup_volume_source_space(
            pos={"rr": dipoles * radius, "nn": moments}, sphere_units="m", verbose="error"
        )
        forward = mne.make_forward_solution(info, None, space, sphere, meg=False, mindist=0, verbose="error")
        theirs = mne.convert_forward_solution(forward, force_fixed=True, verbose="error")["sol"]["data"]
        ours = leadfield(electrodes, dipoles, moments)
        ours, theirs = ours - ours.mean(0), theirs - theirs.mean(0)
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999

    def test_neighbours_share_more_than_far_electrodes(self) -> None:
        person = SimulatedPerson(2, TEN_TWENTY, 250)
        windows = condition_recording(person.generate(250 * 40), 250, SignalSpec(), hop_s=3.0)
        eeg = np.concatenate([w.eeg for w in windows if w.eeg is not None and len(w.good) == 19], axis=1)
        shared = np.corrcoef(eeg)
        angle = np.arccos(np.clip(positions(TEN_TWENTY) @ positions(TEN_TWENTY).T, -1, 1))
        near, far = (angle > 0) & (angle < 0.75), angle > 1.5
        assert shared[near].mean() > 0.2
        assert shared[far].mean() < 0


class TestEffects:
    def test_alpha_peak_is_the_persons_own(self) -> None:
        peaks, own = [], []
        for seed in range(12):
            person = SimulatedPerson(seed, ("O1", "O2", "Pz"), 125)
            frequencies, power = welch(person.generate(125 * 60), 125, nperseg=500)
            inside = (frequencies >= 6.5) & (frequencies <= 14)
            slope = frequencies[inside] ** person.traits.exponent
            peaks.append(frequencies[inside][(power[:, inside] * slope).mean(0).argmax()])
            own.append(person.traits.alpha_hz)
        assert np.std(own) > 0.4
        assert np.median(np.abs(np.array(peaks) - own)) < 0.75

    def test_posterior_alpha_falls_with_arousal_by_a_modest_part(self) -> None:
        change = [
            np.subtract(
                *(self.power(seed, (0.0, arousal), ("O1", "O2", "Pz", "Cz")) for arousal in (0.6, -0.6))
            )[:3]
            for seed in range(14)
        ]
        suppression = 1 - np.exp(np.mean(change))
        assert 0.10 < suppression < 0.40

    def test_frontal_asymmetry_follows_valence_and_not_arousal(self) -> None:
        def asymmetry(seed: int, valence: float, arousal: float) -> float:
            left, right = self.power(seed, (valence, arousal), ("F3", "F4", "Cz", "Pz"))[:2]
            return float(right - left)

        people = range(10)
        by_valence = np.mean([asymmetry(seed, 0.7, 0) - asymmetry(seed, -0.7, 0) for seed in people])
        by_arousal = np.mean([asymmetry(seed, 0, 0.7) - asymmetry(seed, 0, -0.7) for seed in people])
        assert 0.05 < by_valence < 0.6
        assert abs(by_arousal) < 0.05

    def test_people_differ_some_even_in_direction(self) -> None:
        slopes = np.array([draw_traits(np.random.SeedSequence(s)).rhythms[0].arousal for s in range(1000)])
        assert -0.40 < slopes.mean() < -0.30
        assert 0 < (slopes > 0).mean() < 0.1

    def test_the_documentation_states_the_table_in_force(self) -> None:
        text = (Path(__file__).parents[2] / "docs" / "simulated-person.md").read_text(encoding="utf-8")
        for rhythm in RHYTHMS:
            row = next(line for line in text.splitlines() if line.startswith(f"| {rhythm.name} "))
            numbers = [float(n) for n in re.findall(r"[-+]?\d+\.\d+", row)]
            stated = [rhythm.rms_uv, rhythm.trait_sd]
            for slope, sign in ((rhythm.valence, rhythm.valence_sign), (rhythm.arousal, 1)):
                stated += [sign * slope.mean, slope.sd] if slope.sd else []
            assert numbers == stated

    @staticmethod
    def power(seed: int, point: tuple[float, float], channels: tuple[str, ...]) -> npt.NDArray[np.floating]:
        """Log alpha power of average-referenced channels; the same noise at every point of the plane."""
        person = SimulatedPerson(seed, channels, 125, trajectory=Trials([point]))
        eeg = person.generate(125 * 20)
        peak = person.traits.alpha_hz
        return log_band_power(eeg - eeg.mean(0), 125, peak - 1.5, peak + 1.5)
