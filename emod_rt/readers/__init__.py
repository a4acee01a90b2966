"""Readers of recordings in the formats users have."""
