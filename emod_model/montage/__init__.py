"""Electrodes: names, places on the head, and their rows of the embedding table."""

from emod_model.montage.caps import CYTON, DAISY
from emod_model.montage.names import (
    PUBLISHED_NAMES,
    TABLE_ROWS,
    canonical,
    canonical_names,
    clean,
    is_electrode,
)
from emod_model.montage.places import KERNEL_RAD, positions, published_id, spatial_weights

__all__ = [
    "CYTON",
    "DAISY",
    "KERNEL_RAD",
    "PUBLISHED_NAMES",
    "TABLE_ROWS",
    "canonical",
    "canonical_names",
    "clean",
    "is_electrode",
    "positions",
    "published_id",
    "spatial_weights",
]
