"""Training data and plans for the component tests."""

from __future__ import annotations

from typing import List

from rasa.shared.nlu.constants import ACTION_NAME, ACTION_TEXT, INTENT_RESPONSE_KEY, RESPONSE
from rasa.shared.nlu.training_data.message import Message

RESPONSES = {
    "faq/parcel": "Your parcel is on its way.",
    "faq/shipping": "We ship to Switzerland and Austria.",
}


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
