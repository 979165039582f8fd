"""The second model of a report: a trained Rasa model, another plan, another encoder."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Callable, List, Mapping, Optional, Sequence

from rasa_tokprune.commands.report.answers import Answer
from rasa_tokprune.commands.report.bot import Bot
from rasa_tokprune.commands.report.encoders import Setting
from rasa_tokprune.commands.report.material import LOG, TEST, TRAINING, Material
from rasa_tokprune.commands.report.measures.differences import Differences, compare
from rasa_tokprune.commands.trained_model.access import open_model, require_rasa
from rasa_tokprune.commands.trained_model.arguments import BATCH_SIZE
from rasa_tokprune.commands.trained_model.batches import answered
from rasa_tokprune.encoder import shipped_plans
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.fewshot.certificate.outcome import FALLBACK
from rasa_tokprune.texts.messages import Message

OPTION = "--against"
_ARCHIVE = ".tar.gz"

# Trains the bot of the report under another setting.
Train = Callable[[Setting], Bot]
# Draws a progress bar over items, by a name; see `Screen.progress`.
Bar = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Second:
    """What a bot is compared with.

    Attributes:
        name: On the page.
        archive: A trained Rasa model; None if it is a setting.
        setting: The bot of the report under another plan or with another encoder.
    """

    name: str
    archive: Optional[Path]
    setting: Optional[Setting]


def resolve_second(given: str, own: Setting) -> Second:
    """Returns what `--against` names.

    Args:
        given: Its value.
        own: The bot's setting.

    Raises:
        ConfigError: If there is nothing of that name, or no Rasa to run a trained model in.
    """
    path = Path(given).expanduser()
    is_folder_of_models = path.is_dir() and any(path.glob(f"*{_ARCHIVE}"))
    if given.endswith(_ARCHIVE) or is_folder_of_models:
        if not path.exists():
            raise ConfigError(f"{OPTION}: there is no trained model at '{given}'")
        require_rasa(f"{OPTION} also takes a plan or an encoder, which need no Rasa")
        return Second(f"trained model {path.name}", path, None)
    plans = [OFF, *shipped_plans()]
    if given in plans or given.endswith(".json"):
        return Second(f"plan {Path(given).stem}", None, own.with_plan(given))
    if path.is_dir() or "/" in given:
        setting = dataclasses.replace(own, model=given, prune=None, adapter="auto")
        return Second(f"encoder {Path(given).name}", None, setting)
    raise ConfigError(
        f"{OPTION}: '{given}' is no trained model, plan or encoder.{did_you_mean(given, plans)} "
        f"Give a .tar.gz of `rasa train`, one of {', '.join(plans)}, a plan file ending in .json, "
        f"or the folder or hub id of an encoder"
    )


def measure_differences(
    bot: Bot, second: Second, material: Material, train: Train, bar: Bar
) -> Differences:
    """Returns where a second model answers otherwise.

    Both answer the log; without one, the test messages; without those, the examples: held out
    where the second is a setting, as they are where it is a trained model, which may know them.

    Args:
        bot: The first.
        second: The second.
        material: Their messages.
        train: Trains the bot under another setting.
        bar: Draws a progress bar over items, by a name.
    """
    other = None if second.setting is None else train(second.setting)
    if not material.log and material.test is None and other is not None:
        pairs = _held_out(bot, other)
        words = "examples, each answered by bots that were trained without it"
        return compare(*pairs, material.oos_labels, second.name, words)
    texts, intents, source, words = _messages(material)
    first = bot.answers(texts, source, intents)
    if other is not None:
        answers = other.answers(texts, source, intents)
    else:
        answers = _ask(second.archive or Path(), texts, intents, source, bar)
    return compare(first, answers, material.oos_labels, second.name, words)


def _messages(material: Material) -> tuple[List[str], List[Optional[str]], str, str]:
    if material.log:
        return material.log, [None] * len(material.log), LOG, "messages of the log"
    if material.test is not None:
        return material.test.texts, list(material.test.labels), TEST, "test messages"
    own = material.examples
    return own.texts, list(own.labels), TRAINING, "examples, which both models may know"


def _held_out(bot: Bot, other: Bot) -> tuple[List[Answer], List[Answer]]:
    """Returns the answers to the messages that both bots held out, in one order."""
    by_message = {(each.text, each.intent): each for each in other.held_out_answers()}
    first = [each for each in bot.held_out_answers() if (each.text, each.intent) in by_message]
    first.sort(key=lambda each: each.example)
    return first, [by_message[each.text, each.intent] for each in first]


def _ask(
    archive: Path,
    texts: Sequence[str],
    intents: Sequence[Optional[str]],
    source: str,
    bar: Bar,
) -> List[Answer]:
    """Returns what a trained Rasa model answers."""
    messages = map(Message, texts, intents)  # the intent in the place of a name
    with open_model(archive, OPTION) as model:
        # As for `diff`: without a FallbackClassifier the bot falls back below one half.
        least = OPERATING_CONFIDENCE if model.fallback_threshold is None else 0.0
        pairs = answered(messages, model.parse, lambda parse: parse.get("intent") or {}, BATCH_SIZE)
        return [
            _answer(message.text, message.id, source, found, least)
            for message, found in bar(pairs, "Answering, second model", total=len(texts))
        ]


def _answer(
    text: str, intent: Optional[str], source: str, found: Mapping[str, Any], least: float
) -> Answer:
    name, confidence = found.get("name"), float(found.get("confidence") or 0.0)
    # What its FallbackClassifier took back is called like the fallback itself.
    is_accepted = name not in (None, FALLBACK) and confidence >= least
    return Answer(text, source, intent, name, confidence, is_accepted)
