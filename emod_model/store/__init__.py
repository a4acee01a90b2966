"""Corpora at rest: windows as a model gets them live, one HDF5 file a corpus, with a manifest inside."""

from emod_model.store.manifest import Manifest
from emod_model.store.read import Store, open_store
from emod_model.store.recipe import Recipe
from emod_model.store.write import Prepared, write_store

__all__ = ["Manifest", "Prepared", "Recipe", "Store", "open_store", "write_store"]
