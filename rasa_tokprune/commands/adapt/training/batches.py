"""What a student sees at each step: texts of like length, mash, and labelled texts."""

from __future__ import annotations

import dataclasses
import functools
from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.training.labelled import draw_labelled
from rasa_tokprune.commands.adapt.training.sentences import Sentences, tokenize
from rasa_tokprune.commands.adapt.training.settings import BatchSettings
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.texts.disturb import disturb

# Texts encoded in one step are cut from so many batches' worth, sorted by length.
_POOL_BATCHES = 16
# One long text would make a contrast among hundreds of short ones several times dearer.
_LONGEST_LABELLED = 32


@dataclasses.dataclass(frozen=True)
class LabelledBatch:
    """Labelled texts of several tasks.

    Attributes:
        sentences: The texts.
        labels: Number of each text's label, (n_texts,); no two tasks share one.
        tasks: Number of each text's task, (n_texts,).
    """

    sentences: Sentences
    labels: np.ndarray
    tasks: np.ndarray


@dataclasses.dataclass(frozen=True)
class Batch:
    """One step.

    Attributes:
        sentences: Texts as the student sees them, disturbed.
        texts: The same as the teachers saw them, (n_texts,).
        n_mash: How many of them, the last ones, are mash.
        labelled: Labelled texts; None: a step without.
        prunes: Whether the plan is active.
    """

    sentences: Sentences
    texts: Tuple[str, ...]
    n_mash: int
    labelled: Optional[LabelledBatch]
    prunes: bool


class Batches(torch.utils.data.Dataset[Batch]):
    """Every step of a training by its number, the same each time."""

    def __init__(
        self,
        encoder: Encoder,
        drops_end: bool,
        corpus: Corpus,
        mash: Sequence[str],
        settings: BatchSettings,
        *,
        is_labelled: bool,
        part: int,
        n_steps: int,
    ) -> None:
        """Prepares the batches.

        Args:
            encoder: Tokenizes.
            drops_end: Whether the student's plan drops punctuation at the end of a text.
            corpus: What is learned from.
            mash: What `mash_share` is drawn from.
            settings: What is in a batch.
            is_labelled: Whether every step has labelled texts.
            part: Number of the part of the training: each draws otherwise.
            n_steps: How many there are.
        """
        self._encoder, self._drops_end, self._settings = encoder, drops_end, settings
        self._corpus, self._mash = corpus, tuple(mash) if settings.mash_share else ()
        self._is_labelled, self._part, self._n_steps = is_labelled, part, n_steps
        share = settings.mash_share if self._mash else 0.0
        wanted = round((1 - share) * settings.batch_size)
        self._size = max(1, min(wanted, len(corpus.texts)))
        self._n_mash = round(self._size * share / (1 - share))
        self._lengths = np.array([len(text) for text in corpus.texts])
        self._order = functools.lru_cache(maxsize=2)(self._make_order)

    def __len__(self) -> int:
        """Returns the number of steps."""
        return self._n_steps

    def __getitem__(self, step: int) -> Batch:
        """Returns the batch of a step."""
        settings = self._settings
        rng = np.random.default_rng((1, settings.seed, self._part, step))
        texts = self.texts(step)
        if self._mash:
            chosen = rng.integers(len(self._mash), size=self._n_mash)
            texts += [self._mash[row] for row in chosen]
        seen = [disturb(text, rng) for text in texts[: self._size]] + texts[self._size :]
        labelled = None
        if self._is_labelled and self._corpus.tasks:
            labelled = self._labelled(rng)
        prunes = bool(rng.random() >= settings.un_pruned_share)
        n_mash = len(texts) - self._size
        return Batch(self._tokenize(seen), tuple(texts), n_mash, labelled, prunes)

    def texts(self, step: int) -> List[str]:
        """Returns the texts of a step, of like length.

        Every epoch sees every text once, but for a rest, drawn anew, that fills no batch.
        """
        batches = self._order(step // self._per_epoch)
        return [self._corpus.texts[row] for row in batches[step % self._per_epoch]]

    @property
    def _per_epoch(self) -> int:
        return len(self._corpus.texts) // self._size

    def _make_order(self, epoch: int) -> List[np.ndarray]:
        """Returns the rows of every batch of an epoch."""
        rng = np.random.default_rng((self._settings.seed, self._part, epoch))
        size, n_texts = self._size, len(self._corpus.texts)
        order = rng.permutation(n_texts)[: self._per_epoch * size]
        batches: List[np.ndarray] = []
        for pool in np.split(order, range(size * _POOL_BATCHES, len(order), size * _POOL_BATCHES)):
            pool = pool[np.argsort(self._lengths[pool], kind="stable")]
            cut = np.split(pool, range(size, len(pool), size))
            batches += [cut[index] for index in rng.permutation(len(cut))]
        return batches

    def _labelled(self, rng: np.random.Generator) -> LabelledBatch:
        settings = self._settings
        texts, labels, tasks = draw_labelled(
            self._corpus.tasks, settings.n_tasks, settings.n_labels, settings.n_texts, rng
        )
        seen = [disturb(text, rng) for text in texts]
        sentences = self._tokenize(seen, _LONGEST_LABELLED)
        return LabelledBatch(sentences, np.array(labels), np.array(tasks))

    def _tokenize(self, texts: Sequence[str], longest: Optional[int] = None) -> Sentences:
        return tokenize(self._encoder, self._drops_end, texts, longest)
