"""What a bot makes of many messages, in jobs that can run anywhere."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from rasa_tokprune import __version__
from rasa_tokprune.encoder import Encoder, load_encoder
from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.fewshot import Messages, find_oos_labels
from rasa_tokprune.fewshot.calibration.confidence import DEFAULT_TARGET_REJECTION
from rasa_tokprune.fewshot.certificate import Outcome, TrainingSet, outcomes_of
from rasa_tokprune.texts.files import absolute, hash_files
from rasa_tokprune.texts.tasks import read_examples

# Another version of the package may answer otherwise.
JOB = f"answers 4 of rasa-tokprune {__version__}"


@dataclasses.dataclass(frozen=True)
class Decides:
    """How a bot decides; see docs/components/intent-classifier.md.

    Attributes:
        use_intent_names: Whether the intents' names are examples too.
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.
        oos_intents: Intents that mean out-of-scope; None, which is for `describe` alone, finds
            them by name.
        target_in_scope_rejection: Share of right answers that may be rejected, in [0, 1).
    """

    use_intent_names: bool = True
    lexical_weight: Optional[float] = None
    oos_intents: Optional[Tuple[str, ...]] = None
    target_in_scope_rejection: float = DEFAULT_TARGET_REJECTION


@dataclasses.dataclass(frozen=True)
class Bot:
    """A bot as far as its answers go.

    Attributes:
        train: Its NLU data, where every worker finds it.
        sha256: Hash of that.
        decides: How it decides.
        model: Folder or hub id; empty is the default.
        prune: Plan, as for `load_encoder`.
        adapter: As for `load_encoder`.
        precision: As for `load_encoder`.
        backend: As for `load_encoder`.
        num_threads: Of the encoder; None takes all cores.
        fingerprint: Of the encoder that these make; a worker whose encoder differs refuses.
    """

    train: str
    sha256: str
    decides: Decides
    model: str
    prune: str
    adapter: str
    precision: str
    backend: str
    num_threads: Optional[int]
    fingerprint: str

    def encoder(self) -> Encoder:
        """Returns the encoder; models that are open already are shared."""
        return load_encoder(
            self.model,
            prune=self.prune,
            adapter=self.adapter,
            precision=self.precision,
            backend=self.backend,
            num_threads=self.num_threads,
        )


def answer(bot: Mapping[str, Any], texts: Optional[List[str]]) -> Dict[str, Any]:
    """Returns what the bot makes of texts; for None of its own messages, out of fold.

    Args:
        bot: The fields of a `Bot`, as `dataclasses.asdict` gives them.
        texts: Messages.

    Returns:
        `outcomes`: the fields of an `Outcome` for each message, or None; see `outcomes_of`.
    """
    own = bot["decides"]
    decides = Decides(**{**own, "oos_intents": tuple(own["oos_intents"] or ())})
    trained = _train(Bot(**{**bot, "decides": decides}))
    found = trained.examples.out_of_fold() if texts is None else trained.outcomes(texts)
    return {"outcomes": [None if outcome is None else list(outcome) for outcome in found]}


class _TrainedBot:
    """The classifier of a bot, with its encoder."""

    def __init__(self, bot: Bot) -> None:
        path = Path(bot.train)
        if hash_files([bot.train]) != bot.sha256:
            raise ConfigError(f"'{path}' is not the same file here as where the run was started")
        self._encoder = bot.encoder()
        if self._encoder.fingerprint != bot.fingerprint:
            raise ConfigError(
                "the encoder here is not the one where the run was started; every worker needs the "
                "same package, model, plan and adapter, and a processor for the same precision"
            )
        texts, labels, keys = read_examples(path)
        self.examples = TrainingSet.encoded(
            texts,
            labels,
            keys,
            self._encoder,
            use_intent_names=bot.decides.use_intent_names,
            oos_labels=bot.decides.oos_intents or (),
            target_in_scope_rejection=bot.decides.target_in_scope_rejection,
            lexical_weight=bot.decides.lexical_weight,
        )

    def outcomes(self, texts: List[str]) -> List[Optional[Outcome]]:
        return outcomes_of(self.examples.classifier, Messages.encoded(texts, self._encoder))


@functools.lru_cache(maxsize=4)
def _train(bot: Bot) -> _TrainedBot:
    return _TrainedBot(bot)


def describe(
    train: Path,
    prune: str,
    adapter: str,
    settings: Mapping[str, Any],
    decides: Decides,
) -> Bot:
    """Returns a bot for the jobs, after opening its encoder once.

    Paths are made absolute, 'auto' and what out-of-scope intents there are is settled, so that
    every worker opens the same.

    Args:
        train: Its NLU data.
        prune: Plan.
        adapter: As for `load_encoder`.
        settings: `model`, `precision`, `backend` and `num_threads`.
        decides: How it decides.

    Raises:
        TokPruneError: If the encoder cannot be used, or an out-of-scope intent has no example.
    """
    bot = Bot(
        train=absolute(str(train)),
        sha256=hash_files([str(train)]),
        decides=_settled(decides, train),
        prune=absolute(prune),
        adapter=absolute(adapter),
        fingerprint="",
        **{**settings, "model": absolute(settings["model"])},
    )
    encoder = bot.encoder()
    return dataclasses.replace(
        bot,
        precision=encoder.model.precision.value,
        backend=encoder.model.backend.value,
        fingerprint=encoder.fingerprint,
    )


def _settled(decides: Decides, train: Path) -> Decides:
    """Returns the same with the out-of-scope intents named."""
    known = sorted(set(read_examples(train)[1]))
    for name in decides.oos_intents or ():
        if name not in known:
            raise ConfigError(
                f"--oos-intents: '{train}' has no example of '{name}'.{did_you_mean(name, known)} "
                f"Give an intent of it, or leave the option out"
            )
    found = find_oos_labels(known) if decides.oos_intents is None else decides.oos_intents
    return dataclasses.replace(decides, oos_intents=tuple(found))
