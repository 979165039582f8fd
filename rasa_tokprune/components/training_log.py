"""The summary of a training in the log: aligned lines, or one record where logs are JSON."""

from __future__ import annotations

import logging
import sys
import textwrap
from typing import Dict, List, Optional, Tuple

import structlog
from rasa.shared.nlu.constants import INTENT
from rasa.utils import log_utils
from structlog.dev import ConsoleRenderer
from structlog.stdlib import LoggerFactory

from rasa_tokprune.components.training import Learner, TrainedIntents
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.fewshot import has_flaws, summary_fields, summary_pairs
from rasa_tokprune.terminal import printable

logger = structlog.get_logger(__name__)

_MOST_WIDTH = 100
# Trains a model for every fold, and says itself what it measured.
_RASAS_TEST = "rasa.nlu.test"
# Where Rasa keeps its structlog processors.
_RASAS_LOG = "rasa.utils.log_utils"
_ALL_OF_THEM = "rasa-tokprune report data   (all of them, with examples)"
_WHY = 'rasa-tokprune explain "a message"   (why the bot answers as it does)'


def log_training(
    trained: TrainedIntents, encoder: Encoder, learner: Learner, certificate: Optional[str] = None
) -> None:
    """Logs what was trained, why with this plan if that was chosen, and how good it is.

    At level info; at debug in a fold of `rasa test`, which would repeat it.
    """
    level = logging.DEBUG if _is_in_rasas_test() else logging.INFO
    if _is_for_programs():
        fields = {
            "examples": len(trained.texts),
            "intents": len(trained.classifier.classes),
            "prototypes": len(trained.classifier.prototypes),
            "plan": encoder.plan.name,
            "seconds": {name: round(value, 3) for name, value in trained.seconds.items()},
            **({} if certificate is None else {"certificate": certificate}),
            **(summary_fields(trained.report) if trained.report else {}),
        }
        logger.log(level, f"{learner.log_name}.trained", **fields)
        return
    text = "\n".join(_lines(trained, encoder, learner, certificate))
    if isinstance(structlog.get_config()["logger_factory"], LoggerFactory):
        # Past structlog, which would put its own level and brackets around the lines.
        logging.getLogger(__name__).log(level, text)
    else:
        logger.log(level, text)


def _is_for_programs() -> bool:
    processors = structlog.get_config()["processors"]
    if isinstance(processors[-1], ConsoleRenderer):
        return False
    # Wherever stderr is no terminal Rasa renders its own records as JSON, among lines of text; only
    # FORCE_JSON_LOGGING says that programs read them.
    is_rasas = any(getattr(each, "__module__", "") == _RASAS_LOG for each in processors)
    return not is_rasas or bool(log_utils.FORCE_JSON_LOGGING)


def _lines(
    trained: TrainedIntents, encoder: Encoder, learner: Learner, certificate: Optional[str]
) -> List[str]:
    pairs = [
        ("learned", _learned(trained, learner)),
        ("took", _time(trained.seconds)),
        ("plan", certificate or encoder.plan.name),
    ]
    if trained.report:
        pairs += summary_pairs(trained.report)
        # Report and explain look at intents, not at the answers that a selector learns.
        if learner.label == INTENT:
            pairs.append(("next", _ALL_OF_THEM if has_flaws(trained.report) else _WHY))
    return [f"{learner.component} is trained:", *_aligned(pairs)]


def _aligned(pairs: List[Tuple[str, str]]) -> List[str]:
    width = max(len(name) for name, _ in pairs)
    lines = []
    for name, value in pairs:
        room = _MOST_WIDTH - width - 4
        # Names of intents and examples are not to be divided.
        for part in textwrap.wrap(
            printable(value), room, break_long_words=False, break_on_hyphens=False
        ):
            lines.append(f"  {name:<{width}}  {part}")
            name = ""
    return lines


def _learned(trained: TrainedIntents, learner: Learner) -> str:
    classifier = trained.classifier
    labels = "intents" if learner.label == INTENT else "responses"
    return (
        f"{len(trained.texts)} examples of {len(classifier.classes)} {labels} as "
        f"{len(classifier.prototypes)} prototypes"
    )


def _time(seconds: Dict[str, float]) -> str:
    parts = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    return f"{sum(seconds.values()):.1f} s: {parts}"


def _is_in_rasas_test() -> bool:
    frame = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") != _RASAS_TEST:
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None
