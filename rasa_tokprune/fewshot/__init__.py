"""Embedding to class, similarity and confidence. Knows nothing of torch or of Rasa."""

from rasa_tokprune.fewshot.classifier import PrototypeClassifier
from rasa_tokprune.fewshot.storage import load_prototypes, save_prototypes

__all__ = ["PrototypeClassifier", "load_prototypes", "save_prototypes"]
