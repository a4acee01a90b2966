"""A person's calibration: the session that a person sits through, and what is made of its recording."""
