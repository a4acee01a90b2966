"""Electrodes of the corpora whose files do not name them, in the order of their rows."""

from emod_model.montage import canonical_names


def _names(text: str) -> tuple[str, ...]:
    return canonical_names(text.split())


BIOSEMI_32 = _names(
    "Fp1 AF3 F3 F7 FC5 FC1 C3 T7 CP5 CP1 P3 P7 PO3 O1 Oz Pz Fp2 AF4 Fz F4 F8 FC6 FC2 Cz C4 T8 CP6 CP2 P4 P8 "
    "PO4 O2"
)
"""DEAP and MAHNOB-HCI (the Geneva order)."""

EPOC_14 = _names("AF3 F7 F3 FC5 T7 P7 O1 O2 P8 T8 FC6 F4 F8 AF4")
"""DREAMER and AMIGOS: Emotiv EPOC."""

NEUROSCAN_62 = _names(
    "FP1 FPZ FP2 AF3 AF4 F7 F5 F3 F1 FZ F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCZ FC2 FC4 FC6 FT8 T7 C5 C3 C1 CZ C2 C4 "
    "C6 T8 TP7 CP5 CP3 CP1 CPZ CP2 CP4 CP6 TP8 P7 P5 P3 P1 PZ P2 P4 P6 P8 PO7 PO5 PO3 POZ PO4 PO6 PO8 CB1 O1 "
    "OZ O2 CB2"
)
"""SEED, SEED-IV, SEED-V, SEED-VII, and MPED without its mastoids."""

FACED_30 = _names(
    "Fp1 Fp2 Fz F3 F4 F7 F8 FC1 FC2 FC5 FC6 Cz C3 C4 T7 T8 CP1 CP2 CP5 CP6 Pz P3 P4 P7 P8 PO3 PO4 Oz O1 O2"
)
"""FACED's scalp rows; two more follow that are ears or eyes."""

MDME_18 = _names("Fp1 Fp2 Fz F3 F4 F7 F8 Cz C3 C4 T3 T4 P3 P4 T5 T6 O1 O2")
"""MDME; Pz is not among them."""
