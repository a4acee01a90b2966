"""What marks a stretch without signal in formats that know no holes."""

LOST = "BAD_ACQ_SKIP"
"""Nothing was acquired; MNE's own word for it, at which its filters part the signal."""

SIMULATED = "SIMULATED"
"""In a file's own words on itself: no person stands behind its signal."""

MISSING = "BAD_MISSING"
"""Some channels have no value."""
