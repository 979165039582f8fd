"""Training data: examples and intents, counted and compared with the domain."""

from __future__ import annotations

import collections
from typing import Dict, Iterator, List

from rasa_tokprune.commands.doctor.bot import Message
from rasa_tokprune.commands.doctor.case import Case
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.errors import did_you_mean
from rasa_tokprune.fewshot import readable_name
from rasa_tokprune.fewshot.report import FEW_EXAMPLES

# Rasa's own intents, and what the fallback puts first.
_BUILT_IN = {"restart", "back", "session_start", "nlu_fallback"}
# What a bot is told by its channels and services, not by messages.
_EXTERNAL = "EXTERNAL"


def check_data(case: Case) -> Iterator[Finding]:
    """Yields what could not be read, and how much there is."""
    bot = case.bot
    yield from bot.problems
    if bot.messages:
        n_intents = len(_by_intent(case))
        yield Finding(
            "data",
            f"{len(bot.messages)} examples of {n_intents} intents in "
            f"{bot.n_files} file{'' if bot.n_files == 1 else 's'}",
        )
    elif case.has_bot and not any(each.code == "data-unreadable" for each in bot.problems):
        yield Finding(
            "data-missing",
            "no training data with examples of intents",
            "Put it into the bot's folder data, or name it with --data",
        )


def check_counts(case: Case) -> Iterator[Finding]:
    """Yields intents with one example, or few; empty examples; examples that are only an entity."""
    for intent, messages in _by_intent(case).items():
        texts = {_plain(each.example.text) for each in messages} - {""}
        place = messages[0].file, messages[0].line
        if len(texts) == 1:
            yield Finding(
                "intent-one-example",
                f"intent '{intent}' has one example: nothing can be held out to calibrate it",
                f"Write {FEW_EXAMPLES - 1} more, as users would say it",
                *place,
            )
        elif 1 < len(texts) < FEW_EXAMPLES:
            yield Finding(
                "intent-few-examples",
                f"intent '{intent}' has {len(texts)} different examples",
                f"{FEW_EXAMPLES} or more make it reliable",
                *place,
            )
        only = [each for each in messages if _is_only_entity(each)]
        if only:
            yield Finding(
                "example-only-entity",
                f"{len(only)} of {len(messages)} examples of '{intent}' are an entity and nothing "
                f"else, such as '{only[0].example.text}'",
                "Fine where users answer a question; other words around it teach more",
                only[0].file,
                only[0].line,
            )
    for each in case.bot.messages:
        if not each.example.text.strip():
            yield Finding(
                "example-empty",
                f"an example of '{each.example.intent}' is empty",
                "Delete it, or write what was meant",
                each.file,
                each.line,
            )


def check_repeated(case: Case) -> Iterator[Finding]:
    """Yields messages that stand in two intents, and repeated ones of one."""
    first: Dict[str, Dict[str, Message]] = {}
    for each in case.bot.messages:
        text, label = _plain(each.example.text), each.example.key or each.example.intent
        if not text:
            continue
        known = first.setdefault(text, {})
        if label in known:
            yield Finding(
                "example-repeated",
                f"'{each.example.text}' ({label}) stands in {known[label].file}:"
                f"{known[label].line} already",
                "Delete one; twice the same says no more than once",
                each.file,
                each.line,
            )
            continue
        for other, message in list(known.items())[:1]:
            yield Finding(
                "example-in-two-intents",
                f"'{each.example.text}' is an example of '{label}' and, in {message.file}:"
                f"{message.line}, of '{other}'",
                "Keep it in one; if users mean both by it, make one intent of the two",
                each.file,
                each.line,
            )
        known[label] = each


def check_names(case: Case) -> Iterator[Finding]:
    """Yields intents whose names say the same."""
    by_words: Dict[str, List[str]] = {}
    for intent in _by_intent(case):
        words = sorted(word.rstrip("s") for word in readable_name(intent).split())
        by_words.setdefault(" ".join(words) or intent, []).append(intent)
    for intents in by_words.values():
        if len(intents) > 1:
            message = _by_intent(case)[intents[1]][0]
            listed = " and ".join(f"'{name}'" for name in intents)
            yield Finding(
                "intent-names-alike",
                f"intents {listed} have nearly the same name",
                "If they are one, merge them; if not, name them by what sets them apart",
                message.file,
                message.line,
            )


def check_domain(case: Case) -> Iterator[Finding]:
    """Yields intents that only the domain, or only the training data has; missing responses."""
    domain, used = case.bot.domain, _by_intent(case)
    if domain is None:
        if case.bot.messages:
            yield Finding(
                "domain-missing",
                "there is no domain.yml: intents and responses are not compared with it, and "
                "`rasa train` stops without one; `rasa train nlu` does not",
                "Write one, or name it with --domain",
            )
        return
    yield Finding(
        "domain", f"domain: {len(domain.intents)} intents, {len(domain.responses)} responses"
    )
    for intent, messages in used.items():
        if intent not in domain.intents and intent not in _BUILT_IN:
            yield Finding(
                "intent-not-in-domain",
                f"intent '{intent}' has examples but is not in the domain: stories and rules "
                f"cannot use it.{did_you_mean(intent, domain.intents)}",
                "Add it to the domain's intents, or correct the name",
                messages[0].file,
                messages[0].line,
            )
    for intent, place in domain.intents.items() if used else ():
        if intent not in used and intent not in _BUILT_IN and not intent.startswith(_EXTERNAL):
            yield Finding(
                "intent-without-examples",
                f"intent '{intent}' is in the domain but has no example: no message is ever "
                f"classified as it.{did_you_mean(intent, set(used) - set(domain.intents))}",
                "Write examples, or remove it, unless only buttons and services send it",
                *place,
            )


def check_responses(case: Case) -> Iterator[Finding]:
    """Yields questions of retrieval intents without a response, and the other way round."""
    domain = case.bot.domain
    if domain is None:
        return
    keys = {each.example.key: each for each in reversed(case.bot.messages) if each.example.key}
    for key, message in sorted(keys.items()):
        if f"utter_{key}" not in domain.responses:
            yield Finding(
                "retrieval-without-response",
                f"'{key}' has examples but no response: the bot says '{key}'",
                f"Add utter_{key} to the responses of the domain",
                message.file,
                message.line,
            )
    for action, place in domain.responses.items():
        key = action.removeprefix("utter_")
        if "/" in key and key not in keys and case.bot.messages:
            yield Finding(
                "response-without-examples",
                f"response '{action}' is never selected: '{key}' has no example",
                f"Write examples of `intent: {key}`, or remove the response",
                *place,
            )


def _by_intent(case: Case) -> Dict[str, List[Message]]:
    """Returns the examples of each intent, in the order of their first ones."""
    found: Dict[str, List[Message]] = collections.defaultdict(list)
    for each in case.bot.messages:
        found[each.example.intent].append(each)
    return dict(found)


def _is_only_entity(message: Message) -> bool:
    text, entities = message.example.text, message.example.entities
    return any((own["start"], own["end"]) == (0, len(text)) for own in entities) and bool(text)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
