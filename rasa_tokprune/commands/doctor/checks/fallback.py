"""What a low confidence becomes: FallbackClassifier, `emit_fallback`, and who answers then."""

from __future__ import annotations

from typing import Any, Iterator

from rasa_tokprune.commands.doctor.bot import Component
from rasa_tokprune.commands.doctor.case import CLASSIFIER, Case
from rasa_tokprune.commands.doctor.checks.pipeline import classifies
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE

FALLBACK, INTENT = "FallbackClassifier", "nlu_fallback"
# Rasa's defaults.
_DEFAULTS = {"threshold": 0.3, "ambiguity_threshold": 0.1}
_LINES = f"threshold: {OPERATING_CONFIDENCE}, ambiguity_threshold: 0.0"


def check_fallback(case: Case) -> Iterator[Finding]:
    """Yields fallbacks at a wrong place, too many, or none."""
    pipeline = list(case.bot.pipeline)
    deciding = [number for number, each in enumerate(pipeline) if classifies(each)]
    fallbacks = case.bot.named(FALLBACK)
    for each in fallbacks:
        yield from _ranges(case, each)
        if deciding and pipeline.index(each) < deciding[-1]:
            last = pipeline[deciding[-1]].short
            yield Finding(
                "fallback-in-front",
                f"{FALLBACK} stands in front of {last}, which sets intent and confidence after "
                f"it: no message falls back",
                f"Move {FALLBACK} behind {last}",
                *case.place(each),
            )
    if not deciding or pipeline[deciding[-1]].short != CLASSIFIER:
        return
    ours = pipeline[deciding[-1]]
    emits = ours.config.get("emit_fallback") is True
    if emits and fallbacks:
        yield Finding(
            "fallback-twice",
            f"emit_fallback: true and {FALLBACK} both put {INTENT} first, which may then be in a "
            f"ranking twice",
            "Keep one of the two",
            *case.place(ours),
        )
    elif not emits and not fallbacks:
        yield Finding(
            "fallback-missing",
            f"nothing makes {INTENT} of a low confidence: the bot answers whatever is asked",
            f"Put {FALLBACK} with {_LINES} behind {CLASSIFIER}, or set emit_fallback: true",
            *case.place(ours),
        )
    for each in fallbacks:
        yield from _thresholds(case, each)


def _thresholds(case: Case, fallback: Component) -> Iterator[Finding]:
    """Yields thresholds that do not fit our confidence."""
    threshold, ambiguity = (fallback.config.get(key, own) for key, own in _DEFAULTS.items())
    if _is_share(threshold) and threshold != OPERATING_CONFIDENCE:
        given = "" if "threshold" in fallback.config else " (Rasa's default)"
        effect = "more than meant" if threshold > OPERATING_CONFIDENCE else "less than meant"
        yield Finding(
            "fallback-threshold",
            f"threshold of {FALLBACK} is {threshold}{given}; {CLASSIFIER} puts its operating point "
            f"at {OPERATING_CONFIDENCE} in every bot, so that {effect} falls back",
            f"Set threshold: {OPERATING_CONFIDENCE}; how much is rejected is said by "
            f"target_in_scope_rejection of {CLASSIFIER}",
            *case.place(fallback),
        )
    if _is_share(ambiguity) and ambiguity > 0:
        given = "" if "ambiguity_threshold" in fallback.config else " (Rasa's default)"
        yield Finding(
            "fallback-ambiguity",
            f"ambiguity_threshold of {FALLBACK} is {ambiguity}{given}: two intents that tie get "
            f"{OPERATING_CONFIDENCE} at most already, so that it rejects right answers",
            "Set ambiguity_threshold: 0.0",
            *case.place(fallback),
        )


def _ranges(case: Case, fallback: Component) -> Iterator[Finding]:
    for key in _DEFAULTS:
        value = fallback.config.get(key, 0.0)
        if not _is_share(value):
            yield Finding(
                "value-invalid",
                f"{key} of {FALLBACK} is {value!r}, not a number from 0 to 1",
                f"Write a share, such as {_LINES}",
                *case.place(fallback),
            )


def check_handled(case: Case) -> Iterator[Finding]:
    """Yields whether any rule or story says what to do on a fallback."""
    bot = case.bot
    emits = any(each.config.get("emit_fallback") is True for each in bot.named(CLASSIFIER))
    if not (emits or bot.named(FALLBACK)):
        return
    texts = [text for path in bot.files if (text := _read(path)) is not None]
    if any(_is_dialogue(text) for text in texts) and not any(INTENT in text for text in texts):
        yield Finding(
            "fallback-unhandled",
            f"no rule and no story begins with {INTENT}: the policies guess what to answer then",
            f"Add a rule with `- intent: {INTENT}` and what the bot is to say",
            bot.config,
        )


def _is_dialogue(text: str) -> bool:
    return any(line.startswith(("rules:", "stories:")) for line in text.splitlines())


def _read(path: Any) -> Any:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
