"""Bots of public reports, with the real encoder: signs and languages that it cannot read."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple

import pytest
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from tests.components.checks import parse

pytestmark = pytest.mark.slow

Intents = Dict[str, Sequence[str]]
Train = Callable[..., TokPruneIntentClassifier]
MANY: Intents = {
    "order_status": [
        "where is my order", "track my parcel", "when does it arrive",
        "has my package been shipped", "I am still waiting for my delivery",
    ],
    "refund": [
        "I want my money back", "refund please", "how do I return this",
        "can I get a refund", "send it back",
    ],
    "opening_hours": [
        "when are you open", "are you open on sunday", "opening hours please",
        "what time do you close", "until when can I come by",
    ],
    "contact": [
        "how can I reach you", "what is your phone number", "give me your email",
        "I need to call someone", "can I talk to a human",
    ],
}  # fmt: skip
FEW: Intents = {intent: list(texts)[:3] for intent, texts in list(MANY.items())[:2]}
GREETINGS: Intents = {"greet": ["hello", "hi", "good morning"], "goodbye": ["bye", "see you"]}


@pytest.fixture(params=["off", None], ids=["off", "default plan"])
def train(request: pytest.FixtureRequest, create: Callable[..., Any]) -> Train:
    """Returns a function: intents -> classifier of the real encoder, trained as a bot's is."""
    model = TokPruneIntentClassifier.get_default_config()["model"]

    def run(intents: Intents, **keys: Any) -> TokPruneIntentClassifier:
        made = create(TokPruneIntentClassifier, model=model, prune=request.param, **keys)
        examples = [Message.build(text, intent=i) for i, texts in intents.items() for text in texts]
        made.train(TrainingData(examples))
        return made

    return run


def answers(classifier: TokPruneIntentClassifier, texts: Sequence[str]) -> List[Tuple[str, float]]:
    found = [message.get(INTENT) for message in parse(classifier, *texts)]
    return [(each["name"], each["confidence"]) for each in found]


def accepted(classifier: TokPruneIntentClassifier, texts: Sequence[str]) -> Dict[str, Any]:
    """Returns the texts that are answered at 0.5 or more, with their answers."""
    found = zip(texts, answers(classifier, texts))
    return {text: answer for text, answer in found if answer[1] >= 0.5}


OTHERS = ["😡", "🤮🤮", "❌", "謝謝"]


@pytest.mark.parametrize("ordinary", [FEW, MANY], ids=["few", "many"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_case_1_an_emoji_is_not_every_emoji(train: Train, ordinary: Intents) -> None:
    bot = train({"affirm": ["yes", "👍"], "deny": ["no"], **GREETINGS, **ordinary})
    assert accepted(bot, ["👎", *OTHERS]) == {}
    assert [name for name, _ in answers(bot, ["👍", "yes", "no"])] == ["affirm", "affirm", "deny"]


@pytest.mark.parametrize("ordinary", [FEW, MANY], ids=["few", "many"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_case_1_two_emoji_taught_are_told_apart(train: Train, ordinary: Intents) -> None:
    bot = train({"affirm": ["yes", "👍"], "deny": ["no", "👎"], **GREETINGS, **ordinary})
    taught = answers(bot, ["👍", "👎", "👍🏽", "yes", "no"])
    assert [name for name, _ in taught] == ["affirm", "deny", "affirm", "affirm", "deny"]
    assert min(confidence for _, confidence in taught[:3]) >= 0.5
    assert accepted(bot, OTHERS) == {}


def test_case_1_training_names_what_cannot_be_read(train: Train) -> None:
    with pytest.warns(UserWarning, match="cannot read 1 of .*such as '👍', of affirm"):
        train({"affirm": ["yes", "👍"], "deny": ["no"], **MANY})


CHINESE: Intents = {"greet": ["hello", "你好", "您好"], "goodbye": ["bye", "再见", "拜拜"]}


@pytest.mark.parametrize("ordinary", [FEW, MANY], ids=["few", "many"])
def test_case_2_taught_words_of_an_unknown_language(train: Train, ordinary: Intents) -> None:
    with pytest.warns(UserWarning, match="cannot read .* set `model` to a multilingual one"):
        bot = train({**CHINESE, **ordinary})
    expected = {text: intent for intent, texts in CHINESE.items() for text in texts}
    found = dict(zip(expected, answers(bot, list(expected))))
    assert {text: name for text, (name, _) in found.items()} == expected
    assert min(confidence for _, confidence in found.values()) >= 0.5
    # The vocabulary holds every character of the last three.
    assert accepted(bot, ["退款", "谢谢", "天气", "明天", "日本", "天天"]) == {}


@pytest.mark.parametrize("ordinary", [FEW, MANY], ids=["few", "many"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_case_2_one_intent_does_not_own_a_language(train: Train, ordinary: Intents) -> None:
    bot = train({"greet": ["hello", "hi"], "goodbye": ["bye", "再见", "拜拜"], **ordinary})
    assert [name for name, _ in answers(bot, ["再见", "拜拜"])] == ["goodbye", "goodbye"]
    assert accepted(bot, ["退款", "谢谢", "你好"]) == {}


TURKISH: Intents = {
    "party_size": ["on kişi", "on kişi için masa", "on kişiyiz", "on kişilik yer"],
    "front_seat": ["ön kişi", "ön koltukta bir kişi", "ön tarafta oturmak istiyorum", "ön koltuk"],
    "hours": ["ne zaman geliyorsunuz", "gece de hizmet var", "pazar da hizmet var"],
    "cancel": ["rezervasyonu iptal et", "iptal etmek istiyorum", "vazgeçtim"],
}


def test_case_3_words_that_differ_in_an_accent(train: Train) -> None:
    with pytest.warns(UserWarning, match="into .* pieces on average, as it does with languages"):
        bot = train(TURKISH)
    found = answers(bot, ["on kişi", "ön kişi"])
    assert [name for name, _ in found] == ["party_size", "front_seat"]
    assert min(confidence for _, confidence in found) > 0.5


@pytest.mark.parametrize("bot", [MANY, {**GREETINGS, **FEW}], ids=["many", "few"])
def test_english_bots_are_not_warned(
    train: Train, bot: Intents, recwarn: pytest.WarningsRecorder
) -> None:
    train(bot)
    assert not [each for each in recwarn if "TokPruneIntentClassifier" in str(each.message)]


@pytest.mark.parametrize("text", ["see you later", "👍", "再见", "ok 👍"])
@pytest.mark.parametrize("n_others", [0, 1, 5])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_case_14_one_text_in_two_intents(train: Train, text: str, n_others: int) -> None:
    more = ["goodbye", "bye for now", "farewell", "talk to you soon", "have a nice evening"]
    thanks = ["thanks", "thank you"]
    bot = train({"thanks": [text, *thanks], "goodbye": [text, *more[:n_others]], **MANY})
    name, confidence = answers(bot, [text])[0]
    assert name in ("thanks", "goodbye")
    assert confidence <= 0.5


ENDED = [*(text for texts in MANY.values() for text in texts), "my parcel is late", "see you now"]


@pytest.mark.parametrize("end", ["?", " ?", "...", "!!!", "."])
def test_case_27_punctuation_at_the_end_takes_no_answer_away(train: Train, end: str) -> None:
    bot = train({**MANY, **GREETINGS})
    plain, ended = answers(bot, ENDED), answers(bot, [text + end for text in ENDED])
    sure = [(one, other) for one, other in zip(plain, ended) if one[1] >= 0.8]
    assert len(sure) >= len(ENDED) - 2, "all examples"
    assert all(one[0] == other[0] and other[1] >= 0.5 for one, other in sure)


@pytest.mark.parametrize("train", [None], indirect=True, ids=["default plan"])
@pytest.mark.parametrize("end", ["?", " ?", "...", "!!!", "."])
def test_case_27_the_default_plan_does_not_see_it(train: Train, end: str) -> None:
    bot = train({**MANY, **GREETINGS})
    assert answers(bot, [text + end for text in ENDED]) == answers(bot, ENDED)
