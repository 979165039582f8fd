"""What the checks look at, and what one of them leaves to the next."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Tuple

from rasa_tokprune.commands.doctor.bot import Bot, Component
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.components.config.decisions import DECISION_DEFAULTS
from rasa_tokprune.components.config.encoder import ENCODER_DEFAULTS, EncoderSettings
from rasa_tokprune.components.config.selection import SELECTION_DEFAULTS
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.errors import ConfigError

CLASSIFIER, FEATURIZER = "TokPruneIntentClassifier", "TokPruneFeaturizer"
SELECTOR = "TokPruneResponseSelector"
# What Rasa adds to every featurizer's configuration.
OWN_KEYS = {
    CLASSIFIER: tuple(DECISION_DEFAULTS),
    FEATURIZER: ("alias",),
    SELECTOR: tuple(SELECTION_DEFAULTS),
}


@dataclasses.dataclass
class Case:
    """A bot on a machine.

    Attributes:
        bot: Its files; of no bot nothing.
        has_bot: Whether there is one.
        is_fast: Whether what takes seconds is left out.
        encoder: The classifier's, if the check of models could open it.
        rasa: Gives what Rasa itself says, as soon as that is known; None if it is not asked.
        rasa_bytes: Memory of the process that was asked; 0 while nobody knows.
    """

    bot: Bot
    has_bot: bool = True
    is_fast: bool = False
    encoder: Optional[Encoder] = None
    rasa: Optional[Callable[[], List[Finding]]] = None
    rasa_bytes: int = 0

    def ours(self) -> List[Component]:
        """Returns the items of the pipeline that are this package's."""
        return self.bot.named(*OWN_KEYS)

    def encoders(self) -> List[Tuple[Optional[Component], EncoderSettings]]:
        """Returns the encoders that the bot asks for, each once; the default one of no bot of ours.

        The one whose answers are looked at comes first: the classifier's. Settings that cannot be
        read are left out; the check of keys says so.
        """
        order = [CLASSIFIER, FEATURIZER, SELECTOR]
        found: List[Tuple[Optional[Component], EncoderSettings]] = []
        for component in sorted(self.ours(), key=lambda each: order.index(each.short)):
            settings = settings_of(component)
            if settings is not None and settings not in [each for _, each in found]:
                found.append((component, settings))
        if not self.ours():
            found.append((None, EncoderSettings.from_config({})))
        return found

    def place(self, component: Optional[Component]) -> Tuple[Optional[str], Optional[int]]:
        """Returns file and line of an item of the pipeline."""
        return (None, None) if component is None else (self.bot.config, component.line)


def settings_of(component: Component) -> Optional[EncoderSettings]:
    """Returns the encoder that one of our components asks for; None if its keys are wrong."""
    keys = {key: value for key, value in component.config.items() if key in ENCODER_DEFAULTS}
    try:
        return EncoderSettings.from_config(keys)
    except ConfigError:
        return None


# A check looks at a case.
Check = Callable[[Case], Iterator[Finding]]


def shown_path(path: Path) -> str:
    """Returns a path as it is shown: relative to the bot's folder if it lies in it."""
    try:
        return os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)
    except (OSError, ValueError):
        return str(path)
