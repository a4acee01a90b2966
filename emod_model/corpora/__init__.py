"""Public emotion corpora as they lie on disk: one small module each, one person at a time."""

from emod_model.corpora.base import CORPORA, Corpus, Trial, open_corpus

__all__ = ["CORPORA", "Corpus", "Trial", "open_corpus"]
