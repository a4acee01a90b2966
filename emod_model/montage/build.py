"""Regenerate electrodes.csv from MNE's 10-05 template: `python -m emod_model.montage.build`."""

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.montage.names import PUBLISHED_NAMES

Array = npt.NDArray[np.float64]

TABLE = Path(__file__).with_name("electrodes.csv")
# Neuroscan's cerebellar pair is absent from the template; caps place it where 10-10 has PO9 and PO10.
BORROWED = {"CB1": "PO9", "CB2": "PO10"}
# The template repeats these four under their modern names; they are aliases here.
OLD_NAMES = {"T3", "T4", "T5", "T6"}


def template_positions() -> dict[str, Array]:
    """Return MNE's 10-05 template, metres, x right, y front, z up."""
    import mne

    # MNE 1.13 renamed the template and warns on the old name.
    known = mne.channels.get_builtin_montages()
    name = "colin27_1005" if "colin27_1005" in known else "standard_1005"
    positions = mne.channels.make_standard_montage(name).get_positions()["ch_pos"]
    return {str(key): np.asarray(value, float) for key, value in positions.items()}


def sphere_centre(points: Array) -> Array:
    """Return the centre (3,) of the sphere that fits `points` (n, 3) best in least squares."""
    design = np.column_stack([2 * points, np.ones(len(points))])
    solution = np.linalg.lstsq(design, (points**2).sum(1), rcond=None)[0]
    return np.asarray(solution[:3])


def upright(directions: Array, top: Array) -> Array:
    """Rotate unit vectors (n, 3) by the smallest rotation that takes `top` (3,) to +z."""
    axis = np.cross(top, [0.0, 0.0, 1.0])
    skew = np.cross(np.eye(3), axis)
    rotation = np.eye(3) + skew + skew @ skew / (1 + top[2])
    return np.asarray(directions @ rotation.T)


def unit_positions() -> dict[str, Array]:
    """Return every electrode's direction from the fitted centre of the head, Cz straight up."""
    template = template_positions()
    template |= {name: template[source] for name, source in BORROWED.items()}
    scalp = np.array([xyz for name, xyz in template.items() if name not in {"A1", "A2", "M1", "M2"}])
    directions = np.array(list(template.values())) - sphere_centre(scalp)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions = upright(directions, directions[list(template).index("Cz")])
    return {name: xyz for name, xyz in zip(template, directions, strict=True) if name not in OLD_NAMES}


def main() -> None:
    """Write the table."""
    ids = {name.upper(): row for row, name in enumerate(PUBLISHED_NAMES, start=1)}
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "x", "y", "z", "published_id"])
        for name, xyz in unit_positions().items():
            # Adding 0.0 turns -0.0 into 0.0.
            writer.writerow([name, *(f"{v + 0.0:.4f}" for v in np.round(xyz, 4)), ids.get(name.upper(), "")])


if __name__ == "__main__":
    main()
