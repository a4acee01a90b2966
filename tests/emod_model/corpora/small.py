"""Every corpus at its smallest, with long enough trials for a window where that is asked."""

from collections.abc import Callable
from pathlib import Path

from tests.emod_model.corpora import made

TINY: dict[str, Callable[[Path], object]] = {
    "amigos": made.amigos,
    "deap": lambda root: made.deap_csv(root, made.deap(root, trials=1, samples=7680)),
    "dreamer": lambda root: made.dreamer(root, people=1, clips=2, rest_s=2, film_s=2),
    "faced": lambda root: made.faced(root, samples=50),
    "mahnob-hci": made.mahnob_hci,
    "mdme": made.mdme,
    "mped": lambda root: made.mped(root, samples=500, trials=[2, 3, 20]),
    "seed": lambda root: made.seed(root, trials=3, seconds=1),
    "seed-iv": lambda root: made.seed_iv(root, sessions=[2], trials=3, seconds=1),
    "seed-v": lambda root: made.seed_v(root, seconds=110),
    "seed-vii": lambda root: made.seed_vii(root, clips=[1, 21, 80]),
}
"""Just enough to be read."""

LONG: dict[str, Callable[[Path], object]] = {
    "amigos": lambda root: made.amigos(root, seconds=11),
    "deap": lambda root: made.deap_csv(root, made.deap(root, trials=1)),
    "dreamer": lambda root: made.dreamer(root, people=1, clips=1, rest_s=6, film_s=6),
    "faced": lambda root: made.faced(root, samples=1500),
    "mahnob-hci": lambda root: made.mahnob_hci(root, rest_s=6, film_s=6),
    "mdme": lambda root: made.mdme(root, missing=range(4, 32)),
    "mped": lambda root: made.mped(root, samples=6000, trials=[1, 2, 20]),
    "seed": lambda root: made.seed(root, trials=3, seconds=6),
    "seed-iv": lambda root: made.seed_iv(root, sessions=[2], trials=2, seconds=6),
    "seed-v": lambda root: made.seed_v(root, sfreq=250, seconds=103),
    "seed-vii": lambda root: made.seed_vii(root, clips=[1, 80], seconds=6),
}
"""Trials that hold a window of three seconds and what the filters settle in."""
