"""The caps that the first weights are trained and judged on."""

from emod_model.montage import CYTON, DAISY

TEN_TWENTY = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8"),
    *("P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)
MUSE = ("TP9", "AF7", "AF8", "TP10")
EMOTIV = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
BIOSEMI = (
    *("Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7", "CP5", "CP1", "P3", "P7", "PO3", "O1", "Oz", "Pz"),
    *("Fp2", "AF4", "Fz", "F4", "F8", "FC6", "FC2", "Cz", "C4", "T8", "CP6", "CP2", "P4", "P8", "PO4", "O2"),
)

CAPS = (TEN_TWENTY, CYTON, MUSE, DAISY, EMOTIV, BIOSEMI)
"""Caps that training windows are seen through."""

WIDE = (*BIOSEMI, *MUSE)
"""Every electrode of `CAPS`: training people wear them all, each window is seen through one cap."""

RATES = (125.0, 128.0, 250.0, 256.0, 500.0)
"""Rates that simulated people are recorded at, in turn."""
