"""Training of the first weights on simulated people."""
