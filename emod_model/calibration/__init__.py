"""From a person's rest and rated trials to a reading of their own, judged where it has not looked."""
