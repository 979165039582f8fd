"""Embedding to class, similarity and confidence. Knows nothing of torch or of Rasa."""

from rasa_tokprune.fewshot.classifier import Decision, Fitted, PrototypeClassifier, fit_classifier
from rasa_tokprune.fewshot.content_free import CONTENT_FREE_TEXTS
from rasa_tokprune.fewshot.messages import Messages
from rasa_tokprune.fewshot.names import embed_names, find_oos_labels, readable_name
from rasa_tokprune.fewshot.report import training_report
from rasa_tokprune.fewshot.storage import load_examples, load_prototypes, save_prototypes
from rasa_tokprune.fewshot.summary import has_flaws, summary_fields, summary_pairs
from rasa_tokprune.fewshot.support import SupportSet

__all__ = [
    "CONTENT_FREE_TEXTS",
    "Decision",
    "Fitted",
    "Messages",
    "PrototypeClassifier",
    "SupportSet",
    "embed_names",
    "find_oos_labels",
    "fit_classifier",
    "load_examples",
    "load_prototypes",
    "readable_name",
    "save_prototypes",
    "has_flaws",
    "summary_fields",
    "summary_pairs",
    "training_report",
]
