"""`prune: auto`: the cheapest shipped plan that is certified to change few of a bot's actions."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.components.config.decisions import DecisionSettings
from rasa_tokprune.components.config.encoder import EncoderSettings
from rasa_tokprune.components.encoder_access import open_encoder
from rasa_tokprune.components.training import oos_labels_of, with_content
from rasa_tokprune.encoder.default_plan import suits
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.encoder.plans.resolve import OFF, shipped_plans
from rasa_tokprune.errors import ConfigError, StorageError
from rasa_tokprune.fewshot import Messages
from rasa_tokprune.fewshot.certificate import (
    Certificate,
    Outcome,
    TrainingSet,
    count_flips,
    least_messages,
    outcomes_of,
    take_plan,
)
from rasa_tokprune.texts.lines import read_lines

CERTIFICATE_FILE = "certificate.json"
# From the plan that prunes least to the one that prunes most.
CANDIDATES = ("gentle", "light", "balanced", "fast")

_Outcomes = List[Optional[Outcome]]


@dataclasses.dataclass(frozen=True)
class ChosenPlan:
    """The plan that was taken, and why.

    Attributes:
        name: The plan; 'off' if no other is certified.
        encoder: With this plan.
        certificates: Of the plans that were tried; the last one may not hold.
        on_training: The same, out of fold on the training messages.
        n_logged: Messages of `certify_on`; without any, the certificates are those of training.
    """

    name: str
    encoder: Encoder
    certificates: List[Certificate]
    on_training: List[Certificate]
    n_logged: int

    def __str__(self) -> str:
        """Returns the decision in one line."""
        tried = "; ".join(map(str, self.certificates)) or "no shipped plan suits this encoder"
        source = "of certify_on" if self.n_logged else "of the training data, out of fold"
        line = f"prune: auto takes '{self.name}', by messages {source}: {tried}"
        last = self.certificates[-1] if self.certificates else None
        if last is None or last.holds:
            return line
        needed = least_messages(last.max_flip_rate)
        if last.n_messages < needed:
            line += f"; under {needed} messages no plan can be certified: give more by certify_on"
        return line

    def save(self, folder: Path) -> None:
        """Writes everything that was counted.

        Raises:
            StorageError: If the folder cannot be written.
        """
        content: Dict[str, Any] = {
            "taken": self.name,
            "messages": "certify_on" if self.n_logged else "training",
            "certificates": [certificate.to_dict() for certificate in self.certificates],
            "training_messages": [certificate.to_dict() for certificate in self.on_training],
        }
        try:
            text = json.dumps(content, indent=1) + "\n"
            (folder / CERTIFICATE_FILE).write_text(text, encoding="utf-8")
        except OSError as error:
            raise StorageError(
                f"the certificate cannot be written to '{folder}': {error.strerror}"
            ) from error


def store_certificate(chosen: Optional[ChosenPlan], folder: Path) -> None:
    """Writes why a plan was chosen; without a choice marks what is there as of another training.

    Finetuning goes on with the plan of the training before.

    Raises:
        StorageError: If the folder cannot be written, or what is there is damaged.
    """
    if chosen is not None:
        chosen.save(folder)
        return
    path = folder / CERTIFICATE_FILE
    if not path.is_file():
        return
    try:
        content = {**json.loads(path.read_text(encoding="utf-8")), "is_of_earlier_training": True}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(f"'{path}' cannot be marked: {error}; train anew") from error


def choose_plan(
    examples: Sequence[Message], settings: EncoderSettings, decisions: DecisionSettings
) -> ChosenPlan:
    """Compares what the bot does by the original encoder and by pruned ones, and takes a plan.

    What it does: it takes the top intent, or falls back where the confidence of that is under
    0.5. Messages of `certify_on` decide where there are any: training messages are written by the
    bot's author, and pruning changes answers to users more often. Otherwise training messages do,
    each answered by a classifier fitted without it. See `TrainingSet.out_of_fold` for how, and
    `take_plan` for the rule.

    Args:
        examples: Training messages with intents.
        settings: Of the encoder; `prune` is 'auto'.
        decisions: With `max_flip_rate` and `certify_on`; the others say how the bot decides.

    Raises:
        TokPruneError: If the model or `certify_on` cannot be read.
    """
    log = read_messages(decisions.certify_on)
    reference = open_encoder(settings.un_pruned(), may_download=True)
    examples = with_content(examples, reference, "TokPruneIntentClassifier")
    if not examples:
        return ChosenPlan(OFF, reference, [], [], len(log))
    expected = _outcomes(reference, examples, log, decisions)
    taken, certificates, on_training = reference, [], []
    for name in _suitable(reference):
        encoder = open_encoder(dataclasses.replace(settings, prune=name), may_download=True)
        found = _outcomes(encoder, examples, log, decisions)
        limit = decisions.max_flip_rate
        own, logged = (
            count_flips(name, before, after, limit) for before, after in zip(expected, found)
        )
        on_training.append(own)
        certificates.append(logged if log else own)
        if not certificates[-1].holds:
            break
        taken = encoder
    best = take_plan(certificates)
    return ChosenPlan(
        OFF if best is None else best.plan, taken, certificates, on_training, len(log)
    )


def read_messages(path: Optional[str]) -> List[str]:
    """Returns the messages of a file, one a line; none of None.

    Raises:
        ConfigError: If it cannot be read or holds no message.
    """
    if path is None:
        return []
    try:
        messages = read_lines(Path(path).expanduser())
    except ConfigError as error:
        raise ConfigError(f"certify_on: {error}; give messages of users, one a line") from error
    if not messages:
        raise ConfigError(f"certify_on: '{path}' holds no message; give messages, one a line")
    return messages


def _suitable(encoder: Encoder) -> List[str]:
    folder, spec = encoder.folder, encoder.model.spec
    shipped = shipped_plans()
    return [
        name
        for name in CANDIDATES
        if folder is not None and any(suits(plan, folder, spec) for plan in shipped.get(name, []))
    ]


def _outcomes(
    encoder: Encoder, examples: Sequence[Message], log: List[str], decisions: DecisionSettings
) -> Tuple[_Outcomes, _Outcomes]:
    """Returns what becomes of the training messages, out of fold, and of the log's."""
    bot = training_set(encoder, examples, decisions)
    own = bot.out_of_fold()
    return own, outcomes_of(bot.classifier, Messages.encoded(log, encoder)) if log else []


def training_set(
    encoder: Encoder, examples: Sequence[Message], decisions: DecisionSettings
) -> TrainingSet:
    """Returns a bot's examples as an encoder sees them, and how the bot decides."""
    labels = [example.get(INTENT) for example in examples]
    return TrainingSet.encoded(
        [example.get(TEXT) for example in examples],
        labels,
        [example.get(INTENT_RESPONSE_KEY) or example.get(INTENT) for example in examples],
        encoder,
        use_intent_names=decisions.use_intent_names,
        oos_labels=oos_labels_of(labels, decisions),
        target_in_scope_rejection=decisions.target_in_scope_rejection,
        lexical_weight=decisions.lexical_weight,
    )
