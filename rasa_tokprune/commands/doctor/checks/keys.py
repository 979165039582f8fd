"""Keys of our components: known, in range, their files there."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, List

from rasa_tokprune.commands.doctor.bot import Component
from rasa_tokprune.commands.doctor.case import CLASSIFIER, OWN_KEYS, SELECTOR, Case
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.components.config.checks import check_alias
from rasa_tokprune.components.config.decisions import DecisionSettings
from rasa_tokprune.components.config.encoder import (
    ENCODER_DEFAULTS,
    EncoderSettings,
)
from rasa_tokprune.components.config.selection import SelectionSettings
from rasa_tokprune.errors import ConfigError, did_you_mean

_MODULE = "rasa_tokprune"
_IMPORTER = "rasa_tokprune.importer.TokPruneImporter"
_REFERENCE = "docs/components/ has a page of keys and values for each component"


def check_names(case: Case) -> Iterator[Finding]:
    """Yields components that mean ours, but are not called so."""
    importers = [each.get("name") for each in case.bot.settings.get("importers") or []
                 if isinstance(each, dict)]  # fmt: skip
    for component in case.bot.pipeline:
        is_ours = component.name.startswith(f"{_MODULE}.") or component.short.startswith("TokPrune")
        if not is_ours:
            continue
        place = case.place(component)
        if component.short not in OWN_KEYS:
            near = did_you_mean(component.short, OWN_KEYS)
            yield Finding(
                "name-unknown",
                f"there is no component '{component.name}'.{near}",
                f"Write one of: {', '.join(f'{_MODULE}.{name}' for name in OWN_KEYS)}",
                *place,
            )
        elif "." not in component.name and _IMPORTER not in importers:
            yield Finding(
                "short-name",
                f"'{component.name}' is a short name, which Rasa does not know",
                f"Write {_MODULE}.{component.name}, or name {_IMPORTER} under importers",
                *place,
            )


def check_keys(case: Case) -> Iterator[Finding]:
    """Yields unknown keys of our components, wrong values and files that are not there."""
    for component in case.ours():
        place = case.place(component)
        valid = [*ENCODER_DEFAULTS, *OWN_KEYS[component.short]]
        unknown = [key for key in component.config if key not in valid]
        for key in unknown:
            yield Finding(
                "key-unknown",
                f"{component.short} has no key '{key}'.{did_you_mean(str(key), valid)}",
                f"Correct or remove it; {_REFERENCE}",
                *place,
            )
        for error in _wrong_values(component):
            yield Finding(
                "value-invalid", f"{component.short}: {error}", f"Correct it; {_REFERENCE}", *place
            )
        log = component.config.get("certify_on")  # plan and adapter are opened elsewhere
        if isinstance(log, str) and log and not Path(log).is_file():
            yield Finding(
                "file-missing",
                f"{component.short}: certify_on names '{log}', which is not there",
                "Correct the path; it is relative to where rasa is run, the bot's folder",
                *place,
            )


def _wrong_values(component: Component) -> List[str]:
    """Returns what is wrong with the values, one line for each part that refuses them."""
    known = {key: value for key, value in component.config.items() if key in ENCODER_DEFAULTS}
    found = []
    try:
        EncoderSettings.from_config(known)
    except ConfigError as error:
        found.append(str(error))
    try:
        if component.short == CLASSIFIER:
            DecisionSettings.from_config(component.config)
        elif component.short == SELECTOR:
            SelectionSettings.from_config(component.config)
        else:
            check_alias(component.config.get("alias"))
            if component.config.get("prune") == "auto":
                found.append("prune: auto is for TokPruneIntentClassifier; name a plan here")
    except ConfigError as error:
        found.append(str(error))
    return found
