"""Where estimates go: JSON lines, LSL."""
