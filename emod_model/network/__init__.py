"""The EMOD backbone and its heads."""
