"""Training data and plans for the component tests."""

from __future__ import annotations

from pathlib import Path
from typing import List

from rasa.shared.nlu.constants import ACTION_NAME, ACTION_TEXT, INTENT_RESPONSE_KEY, RESPONSE
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.encoder import PruneMode, PruningPlan
from tests.conftest import N_LAYERS

BOT = Path(__file__).resolve().parents[1] / "bots" / "tiny"
RESPONSES = {
    "faq/parcel": "Your parcel is on its way.",
    "faq/shipping": "We ship to Switzerland and Austria.",
}


def write_plan(path: Path, *, quantile: float = 0.5, mode: str = "freeze") -> Path:
    """Writes a plan for the tiny encoders that prunes after their second layer."""
    thresholds = (0.0, quantile, 0.0, 0.0)
    PruningPlan(N_LAYERS, thresholds, mode=PruneMode(mode), name="tiny").save(path)
    return path


def example_messages() -> List[Message]:
    """Returns every kind of message that Rasa hands to NLU components in training."""
    parcel = {"entity": "number", "start": 31, "end": 36, "value": "12345"}
    return [
        Message.build("hello there", intent="greet"),
        Message.build("good morning", intent="greet"),
        Message.build("hello and good morning", intent="greet"),
        Message.build("goodbye and see you soon", intent="bye"),
        Message.build("see you", intent="bye"),
        Message.build("thanks a lot, goodbye", intent="thank+bye"),
        Message.build("many thanks and see you soon", intent="thank+bye"),
        Message.build("change the address of my order 12345", intent="address", entities=[parcel]),
        Message.build("please change the delivery address", intent="address"),
        _with_response("where is my parcel", "faq/parcel"),
        _with_response("when will my parcel arrive", "faq/parcel"),
        _with_response("do you ship to Switzerland", "faq/shipping"),
        _with_response("what does shipping cost", "faq/shipping"),
        Message(data={ACTION_NAME: "action_listen"}),
        Message(data={ACTION_TEXT: "Can I help you with your order?"}),
        Message(data={INTENT_RESPONSE_KEY: "faq/parcel", RESPONSE: RESPONSES["faq/parcel"]}),
    ]


def _with_response(text: str, intent: str) -> Message:
    message = Message.build(text, intent=intent)
    message.set(RESPONSE, RESPONSES[intent])
    return message
