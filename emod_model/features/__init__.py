"""Triple-domain features: temporal, spectral, spatial."""

from emod_model.features.extract import Features, assemble, extract, token_count
from emod_model.features.spectrum import (
    BANDS,
    FLOOR_UV2_HZ,
    FREQS_HZ,
    band_power_db,
    log_power,
    real_part_spectrum,
)

__all__ = [
    "BANDS",
    "FLOOR_UV2_HZ",
    "FREQS_HZ",
    "Features",
    "assemble",
    "band_power_db",
    "extract",
    "log_power",
    "real_part_spectrum",
    "token_count",
]
