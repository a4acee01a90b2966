"""Signal conditioning: one stateful, causal implementation for training and live (rule 3)."""
