"""Electrodes: what names are taken, where they sit, what stands for them in the network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emod_model.errors import UsageError
from emod_model.montage import (
    PUBLISHED_NAMES,
    build,
    canonical,
    canonical_names,
    clean,
    is_electrode,
    positions,
    published_id,
    spatial_weights,
)
from emod_model.montage.names import ALIASES, table

ALL_NAMES = sorted(table())
UNPUBLISHED = ["AF7", "AF8", "TP9", "TP10", "AFz", "Iz", "FT9", "FT10", "M1", "M2"]


def row(name: str, **options: bool) -> dict[str, float]:
    weights = spatial_weights([name], **options)[0]
    return {PUBLISHED_NAMES[i - 1]: float(weights[i]) for i in np.flatnonzero(weights)}


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("Fp1", "Fp1"),
        ("FP1", "Fp1"),
        ("fcz", "FCz"),
        ("AFZ", "AFz"),
        (" Cz ", "Cz"),
        ("T3", "T7"),
        ("t4", "T8"),
        ("T5", "P7"),
        ("T6", "P8"),
        ("cb1", "CB1"),
        ("A2", "A2"),
        ("m1", "M1"),
        ("afp3h", "AFp3h"),
    ],
)
def test_a_name_is_taken_in_any_case_and_in_the_old_system(given_name: str, expected: str) -> None:
    assert canonical(given_name) == expected
    assert is_electrode(given_name)


@pytest.mark.parametrize("name", ["EEG Fp1", "Fp1-Ref", "FP1.", "Fp1-F7", "ECG", "Fp11", ""])
def test_a_decorated_or_unknown_name_is_refused(name: str) -> None:
    assert not is_electrode(name)
    with pytest.raises(UsageError, match="not a 10-05 electrode name"):
        canonical(name)


def test_the_refusal_names_the_nearest_known_electrodes() -> None:
    with pytest.raises(UsageError, match=r"'EEG AF77' .* nearest known: AF7"):
        canonical("EEG AF77")


@pytest.mark.parametrize(
    ("label", "bare"),
    [
        ("EEG Fp1", "Fp1"),
        ("EEG Fp1-LE", "Fp1"),
        ("EEG T3-REF", "T3"),
        ("EEG FP1-Ref", "FP1"),
        ("eeg: Cz", "Cz"),
        ("POL F8", "F8"),
        ("Fp1-A2", "Fp1"),
        ("Fp1 - M1", "Fp1"),
        ("C3-AVG", "C3"),
        ("Fcz..", "Fcz"),
        ("Fpz.", "Fpz"),
        ("EEG A1-Ref", "A1"),
        ("O2", "O2"),
    ],
)
def test_clean_strips_what_files_wrap_around_a_name(label: str, bare: str) -> None:
    assert clean(label) == bare
    assert is_electrode(clean(label))


@pytest.mark.parametrize(
    "label", ["EEG A2-A1", "Fp1-F7", "CZ-PZ", "ECG", "EEG ECG-REF", "EOG left", "STATUS"]
)
def test_clean_never_makes_an_electrode_of_what_is_none(label: str) -> None:
    assert not is_electrode(clean(label))


def test_names_of_a_recording_keep_their_order() -> None:
    assert canonical_names(["o2", "T3", "FPZ"]) == ("O2", "T7", "Fpz")


def test_two_names_of_one_electrode_are_refused() -> None:
    with pytest.raises(UsageError, match="'T7' and 'T3' are both electrode T7"):
        canonical_names(["T3", "Cz", "T7"])


def test_no_name_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="no electrode is named"):
        canonical_names([])


def test_positions_are_on_the_unit_sphere_with_x_right_y_front_z_up() -> None:
    np.testing.assert_allclose(np.linalg.norm(positions(ALL_NAMES), axis=1), 1, atol=2e-4)
    np.testing.assert_allclose(positions(["Cz"]), [[0, 0, 1]], atol=1e-3)
    right, left, front, back = positions(["T8", "T7", "Fpz", "Oz"])
    assert right[0] > 0.98
    assert left[0] < -0.98
    assert front[1] > 0.98
    assert back[1] < -0.98
    assert np.abs(np.array([front, back, left, right])[:, 2]).max() < 0.15


def test_odd_electrodes_lie_left_of_even_ones() -> None:
    numbered = [name for name in ALL_NAMES if any(c.isdigit() for c in name)]
    for name, x in zip(numbered, positions(numbered)[:, 0], strict=True):
        odd = int("".join(c for c in name if c.isdigit())) % 2
        assert x < 0 if odd else x > 0, name


def test_the_shipped_table_is_what_the_build_script_makes() -> None:
    rebuilt = build.unit_positions()
    assert sorted(rebuilt) == ALL_NAMES
    np.testing.assert_allclose(positions(ALL_NAMES), [rebuilt[name] for name in ALL_NAMES], atol=1e-4)


def test_the_published_table_is_alphabetical_with_68_names_and_own_rows_for_the_old_ones() -> None:
    assert len(PUBLISHED_NAMES) == 68
    assert list(PUBLISHED_NAMES) == sorted(PUBLISHED_NAMES)
    assert set(ALIASES) < set(PUBLISHED_NAMES)


def test_a_published_electrode_is_its_own_row() -> None:
    for name in PUBLISHED_NAMES:
        assert row(name) == {canonical(name).upper(): 1.0}
    assert published_id("A1") == 1
    assert published_id("TP8") == 68
    assert published_id("T3") == published_id("T7") == PUBLISHED_NAMES.index("T7") + 1
    assert published_id("AF7") is None


@pytest.mark.parametrize(
    ("name", "around"),
    [
        ("AF7", {"FP1", "F7", "F5", "AF3"}),
        ("AF8", {"FP2", "F8", "F6", "AF4"}),
        ("TP9", {"TP7", "P7", "T7", "CB1"}),
        ("TP10", {"TP8", "P8", "T8", "CB2"}),
        ("AFz", {"FPZ", "AF3", "AF4", "FZ"}),
        ("Iz", {"OZ", "O1", "O2"}),
        ("FT9", {"FT7", "F7", "T7"}),
    ],
)
def test_an_electrode_without_a_row_is_a_blend_of_those_around_it(name: str, around: set[str]) -> None:
    blend = row(name)
    assert set(sorted(blend, key=blend.__getitem__)[-len(around) :]) == around
    assert sum(blend[neighbour] for neighbour in around) > 0.6
    assert max(blend.values()) < 0.8


def test_leaving_out_the_own_row_gives_a_blend_for_every_electrode() -> None:
    blend = row("Cz", leave_out_own=True)
    assert "CZ" not in blend
    assert set(sorted(blend, key=blend.__getitem__)[-4:]) == {"FCZ", "CPZ", "C1", "C2"}
    assert row("AF7", leave_out_own=True) == row("AF7")


def test_blends_use_neither_ears_nor_the_old_names() -> None:
    for name in UNPUBLISHED:
        assert not set(row(name)) & {"A1", "A2", *ALIASES}


@given(st.lists(st.sampled_from(ALL_NAMES), min_size=1, max_size=20, unique=True), st.booleans())
def test_weights_of_any_montage_are_shares_of_trained_rows(names: list[str], leave_out: bool) -> None:
    weights = spatial_weights(names, leave_out_own=leave_out)
    assert weights.shape == (len(names), 72)
    assert weights.dtype == np.float32
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    assert not weights[:, [0, 69, 70, 71]].any()
