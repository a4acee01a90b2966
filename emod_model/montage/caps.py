"""Headsets whose electrodes sit at known places."""

CYTON = ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")
"""OpenBCI's Cyton, at the places its own software assumes."""

DAISY = (*CYTON, "F7", "F8", "F3", "F4", "T7", "T8", "P3", "P4")
"""The Cyton with its second board."""
