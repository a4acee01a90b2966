"""The pages that lead a person through a calibration: they draw scenes and send actions."""
