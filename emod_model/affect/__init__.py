"""Affect space: where the words and ratings of each corpus lie in valence and arousal, [-1, 1]^2."""

from emod_model.affect.regions import LEVELS, N_REGIONS, level, region
from emod_model.affect.vocabulary import Label, Ratings, Vocabulary, corpora, load_vocabulary, vocabulary

__all__ = [
    "LEVELS",
    "N_REGIONS",
    "Label",
    "Ratings",
    "Vocabulary",
    "corpora",
    "level",
    "load_vocabulary",
    "region",
    "vocabulary",
]
