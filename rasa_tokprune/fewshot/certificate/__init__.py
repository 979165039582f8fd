"""How often pruning changes what a bot does: what it does, counted and bounded."""

from rasa_tokprune.fewshot.certificate.bound import (
    Certificate,
    check_limit,
    count_flips,
    flip_bound,
    least_messages,
    take_plan,
)
from rasa_tokprune.fewshot.certificate.outcome import Outcome, outcomes_of
from rasa_tokprune.fewshot.certificate.top_intents import answers_of, fit_head
from rasa_tokprune.fewshot.certificate.training_set import TrainingSet

__all__ = [
    "Certificate",
    "Outcome",
    "TrainingSet",
    "answers_of",
    "check_limit",
    "count_flips",
    "fit_head",
    "flip_bound",
    "least_messages",
    "outcomes_of",
    "take_plan",
]
