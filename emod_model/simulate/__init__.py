"""A simulated person: a generative EEG model with known valence and arousal."""
