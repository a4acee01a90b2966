"""Recording: the raw signal as acquired, in append-only XDF chunks (rule 5 of the house)."""
