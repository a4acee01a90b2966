"""Pretraining on many corpora: distance-aware contrast, region-balanced batches, the loop on Lightning."""
