"""The rest of config.yml: assistant, language, recipe, importers, intents that keys name."""

from __future__ import annotations

from typing import Iterator, List, Sequence

from rasa_tokprune.commands.doctor.case import CLASSIFIER, SELECTOR, Case
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL
from rasa_tokprune.errors import did_you_mean

_RECIPE = "default.v1"
# What Rasa puts there itself until somebody writes a name.
_PLACEHOLDER = "placeholder_default"
# They read files as Rasa finds them, which is how they are read here.
_FILE_IMPORTERS = ("RasaFileImporter", "TokPruneImporter")


def check_settings(case: Case) -> Iterator[Finding]:
    """Yields what is missing or unlike what it looks like at the top of config.yml."""
    bot = case.bot
    if bot.config is None:
        yield Finding(
            "config-missing",
            "the bot has no config.yml: the default encoder is looked at instead",
            "Write one (README.md has six lines), or name it with --config",
        )
        return
    yield Finding(
        "config", f"{bot.config}: {len(bot.pipeline)} components in the pipeline", "", bot.config
    )
    recipe = bot.settings.get("recipe", _RECIPE)
    if recipe != _RECIPE:
        yield Finding(
            "recipe-graph",
            f"recipe is {recipe!r}; only a pipeline of {_RECIPE} is looked at",
            "",
            bot.config,
        )
    assistant = bot.settings.get("assistant_id")
    if assistant in (None, "", _PLACEHOLDER):
        state = "is missing" if assistant in (None, "") else f"is still '{_PLACEHOLDER}'"
        yield Finding(
            "assistant-id-missing",
            f"assistant_id {state}: Rasa makes one up and writes it into the file",
            "Add `assistant_id: ` and a name of the bot's own",
            bot.config,
        )
    if not bot.settings.get("language"):
        yield Finding(
            "language-missing",
            "language is missing: `rasa train` stops there",
            "Add `language: en`, or the bot's own language",
            bot.config,
        )
    for importer in bot.settings.get("importers") or []:
        name = str(importer.get("name") if isinstance(importer, dict) else importer)
        if name.rpartition(".")[2] not in _FILE_IMPORTERS:
            yield Finding(
                "importer-not-read",
                f"importer '{name}' may bring training data that is not looked at here",
                "Name the files with --data",
                bot.config,
            )


def check_language(case: Case) -> Iterator[Finding]:
    """Yields a bot in another language on the default encoder, which reads English."""
    language = case.bot.settings.get("language")
    if not isinstance(language, str) or language.lower().replace("_", "-").split("-")[0] == "en":
        return
    for component in case.ours():
        if component.config.get("model", DEFAULT_MODEL) == DEFAULT_MODEL:
            yield Finding(
                "language-encoder",
                f"language is '{language}', but the encoder of {component.short} reads English",
                "Set model to a multilingual encoder; docs/languages.md compares them",
                *case.place(component),
            )


def check_named_intents(case: Case) -> Iterator[Finding]:
    """Yields intents that our keys name and that the bot has not, and selectors without a use."""
    examples = [each.example for each in case.bot.messages]
    if not examples:
        return
    intents = sorted({example.intent for example in examples})
    retrieval = sorted({example.intent for example in examples if example.key})
    for component in case.bot.named(CLASSIFIER):
        named = component.config.get("oos_intents")
        for name in named if isinstance(named, list) else []:
            if name not in intents:
                yield Finding(
                    "oos-intent-unknown",
                    f"oos_intents names '{name}', which has no example."
                    f"{did_you_mean(str(name), intents)}",
                    "Correct the name, or give it examples; training goes on without it",
                    *case.place(component),
                )
    yield from _selectors(case, retrieval)


def _selectors(case: Case, retrieval: Sequence[str]) -> Iterator[Finding]:
    selectors = case.bot.named(SELECTOR, "ResponseSelector")
    answered: List[str] = []
    for component in selectors:
        name = component.config.get("retrieval_intent")
        answered += [name] if name else retrieval
        if not retrieval:
            yield Finding(
                "selector-unused",
                f"{component.short} has nothing to choose from: no intent is named like faq/ask_it",
                "Remove it, or split an intent: docs/components/response-selector.md",
                *case.place(component),
            )
        elif name and name not in retrieval:
            yield Finding(
                "selector-intent-unknown",
                f"retrieval_intent of {component.short} is '{name}', which has no examples."
                f"{did_you_mean(str(name), retrieval)}",
                f"Write one of: {', '.join(retrieval)}",
                *case.place(component),
            )
    left = [name for name in retrieval if name not in answered]
    if left and case.bot.config is not None:
        yield Finding(
            "selector-missing",
            f"retrieval intents without a response selector: {', '.join(left)}",
            "Add `- name: rasa_tokprune.TokPruneResponseSelector` to the pipeline",
            case.bot.config,
        )
