"""A simulated person: a generative EEG model with known valence and arousal.

`SimulatedPerson` streams microvolts on any montage at any rate from a seed. What valence and arousal
change, by how much, and how people differ stands in `effects` and in docs/simulated-person.md.
"""

from emod_model.simulate.effects import RHYTHMS, Rhythm, Slope
from emod_model.simulate.person import SimulatedPerson
from emod_model.simulate.traits import RhythmTraits, Traits
from emod_model.simulate.trajectory import Trajectory, Trials, Wandering

__all__ = [
    "RHYTHMS",
    "Rhythm",
    "RhythmTraits",
    "SimulatedPerson",
    "Slope",
    "Traits",
    "Trajectory",
    "Trials",
    "Wandering",
]
