"""A bot's answers to many messages, in jobs that can run anywhere."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from rasa_tokprune import __version__
from rasa_tokprune.encoder import Encoder, load_encoder
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import Messages, embed_names
from rasa_tokprune.fewshot.certificate import answers_of, fit_head, out_of_fold_answers
from rasa_tokprune.fewshot.views import Views
from rasa_tokprune.texts.files import absolute, hash_files
from rasa_tokprune.texts.tasks import read_examples

# Another version of the package may answer otherwise.
JOB = f"answers 3 of rasa-tokprune {__version__}"


@dataclasses.dataclass(frozen=True)
class Bot:
    """A bot as far as its answers go.

    Attributes:
        train: Its NLU data, where every worker finds it.
        sha256: Hash of that.
        use_intent_names: Whether the intents' names are examples too.
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.
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
    use_intent_names: bool
    lexical_weight: Optional[float]
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
    """Returns the bot's intents for texts; for None those of its own messages, out of fold.

    Args:
        bot: The fields of a `Bot`.
        texts: Messages.
    """
    trained = _train(Bot(**bot))
    if texts is None:
        return {"answers": trained.out_of_fold()}
    return {"answers": trained.answers(texts)}


class _TrainedBot:
    """The prototypes of a bot, with its encoder."""

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
        texts, self._labels, self._keys = read_examples(path)
        messages = Messages.encoded(texts, self._encoder)
        rows = np.flatnonzero(messages.embeddings.any(axis=1))  # without content: no example
        self._own = messages.take(rows)
        self._labels = [self._labels[row] for row in rows]
        self._keys = [self._keys[row] for row in rows]
        encode = self._encoder.encode
        self._names = embed_names(self._keys, encode) if bot.use_intent_names else {}
        self._weight = bot.lexical_weight
        self._head: Optional[Tuple[Views, Tuple[str, ...]]] = None

    def answers(self, texts: List[str]) -> List[Optional[str]]:
        if self._head is None:
            self._head = fit_head(self._own, self._labels, self._keys, self._names, self._weight)
        return answers_of(*self._head, Messages.encoded(texts, self._encoder))

    def out_of_fold(self) -> List[Optional[str]]:
        return out_of_fold_answers(self._own, self._labels, self._keys, self._names, self._weight)


@functools.lru_cache(maxsize=4)
def _train(bot: Bot) -> _TrainedBot:
    return _TrainedBot(bot)


def describe(
    train: Path,
    prune: str,
    adapter: str,
    settings: Mapping[str, Any],
    use_intent_names: bool,
    lexical_weight: Optional[float] = None,
) -> Bot:
    """Returns a bot for the jobs, after opening its encoder once.

    Paths are made absolute and 'auto' is settled, so that every worker opens the same.

    Args:
        train: Its NLU data.
        prune: Plan.
        adapter: As for `load_encoder`.
        settings: `model`, `precision`, `backend` and `num_threads`.
        use_intent_names: Whether the intents' names are examples too.
        lexical_weight: As in `Bot`.

    Raises:
        TokPruneError: If the encoder cannot be used.
    """
    bot = Bot(
        train=absolute(str(train)),
        sha256=hash_files([str(train)]),
        use_intent_names=use_intent_names,
        lexical_weight=lexical_weight,
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
