"""Fine-tuning on one corpus: classes, valence and arousal with their uncertainty, or both; and ensembles."""
