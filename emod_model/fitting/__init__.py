"""What pretraining and fine-tuning share: windows out of stores, the loop on Lightning, its state on disk."""
