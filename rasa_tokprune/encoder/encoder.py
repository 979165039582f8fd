"""The encoder: texts in, sentence embeddings out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from rasa_tokprune.encoder.backends.batch import ForwardResult, PackedTokens, token_layers
from rasa_tokprune.encoder.cache import CacheInfo, EmbeddingCache, Reading
from rasa_tokprune.encoder.encoded_text import EncodedText
from rasa_tokprune.encoder.formats import NATIVE_ARITHMETIC, Backend, Precision
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.encoder.pooling import count_pooled, pool, pooled_rows
from rasa_tokprune.encoder.shared import SharedModel
from rasa_tokprune.encoder.tokens import Tokens
from rasa_tokprune.encoder.written import most_characters, without_end
from rasa_tokprune.errors import ConfigError

DEFAULT_BATCH_SIZE = 64
# Bounds memory: attention of long texts grows with the square of their length.
_MAX_BATCH_TOKENS = 8192


class Encoder:
    """Encodes texts with a pruning plan. Holds nothing between calls but its cache; thread-safe."""

    def __init__(
        self,
        model: SharedModel,
        plan: PruningPlan,
        *,
        folder: Optional[Path] = None,
        max_length: Optional[int] = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        prompt_name: Optional[str] = None,
        cache_size: int = 0,
    ) -> None:
        """Combines a loaded model with settings; see `load_encoder`."""
        plan.check_fits(model.spec.n_layers)
        model.spec.check_max_length(max_length)
        for key, value, least in (("batch_size", batch_size, 1), ("cache_size", cache_size, 0)):
            if value < least:
                raise ConfigError(f"{key} must be >= {least}, got {value}")
        self.model = model
        self.folder = folder
        self.plan = plan
        self.max_length = model.spec.max_seq_length if max_length is None else max_length
        self.batch_size = batch_size
        self.prompt = model.spec.prompt(prompt_name)
        self._check_prompt(self.prompt)
        self._cache = EmbeddingCache(cache_size) if cache_size else None
        self._fingerprint = self.fingerprint_with(NATIVE_ARITHMETIC)
        model.runner.prepare(plan, folder)

    @property
    def hidden_size(self) -> int:
        """Width of a token's state."""
        return self.model.spec.hidden_size

    @property
    def embedding_size(self) -> int:
        """Width of a sentence embedding."""
        if self.model.dense:
            return int(self.model.dense[-1].weight.shape[0])
        return self.hidden_size * len(self.model.spec.pooling)

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides an embedding: weights, plan, length, prompt, precision."""
        return self._fingerprint

    def fingerprint_with(self, arithmetic: int) -> str:
        """Returns the fingerprint that a version of this package with another arithmetic gave.

        Args:
            arithmetic: See `NATIVE_ARITHMETIC`; 1 is that of rasa-tokprune 0.2 and before.
        """
        model = self.model
        parts = [model.identity, self.plan.fingerprint(), str(self.max_length), self.prompt]
        if model.precision is not Precision.FP32:
            parts.append(f"{model.backend.value} {model.precision.value}")
        if model.backend is Backend.NATIVE and arithmetic > 1:
            parts.append(f"arithmetic {arithmetic}")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def encode(
        self, texts: Sequence[str], *, show_progress: bool = False, zero_blank: bool = False
    ) -> np.ndarray:
        """Returns sentence embeddings, (len(texts), embedding_size) float32.

        Args:
            texts: Any number of strings, of any length; long ones are cut at max_length.
            show_progress: Draw a progress bar.
            zero_blank: Give texts without content (blank, only control characters) zeros. The
                model's own vector of an empty text looks like content.
        """
        return self.read(texts, show_progress=show_progress, zero_blank=zero_blank)[0]

    def read(
        self, texts: Sequence[str], *, show_progress: bool = False, zero_blank: bool = False
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Returns embeddings and the share of each text that the vocabulary knows.

        Args:
            texts: As for `encode`.
            show_progress: As for `encode`.
            zero_blank: As for `encode`.

        Returns:
            (len(texts), embedding_size) float32; shares in [0, 1], (len(texts),), as
            `readable_shares` gives them.
        """
        _check_texts(texts)
        embeddings = np.zeros((len(texts), self.embedding_size), dtype=np.float32)
        readable = np.zeros(len(texts))
        missing: Sequence[int] = range(len(texts))
        if self._cache is not None:
            known = [self._cache.get(text) for text in texts]
            missing = [row for row, reading in enumerate(known) if reading is None]
            for row, reading in enumerate(known):
                if reading is not None:
                    embeddings[row], readable[row] = reading
        tokens = self.tokenize(texts if len(missing) == len(texts) else [texts[r] for r in missing])
        for row, item in zip(missing, tokens):
            readable[row] = item.readable_share
        kept = [n for n, item in enumerate(tokens) if not zero_blank or item.has_content]
        own = self.encode_tokens([tokens[n] for n in kept], show_progress=show_progress)
        for n, embedding in zip(kept, own):
            row = missing[n]
            embeddings[row] = embedding
            if self._cache is not None and tokens[n].has_content:
                self._cache.put(texts[row], Reading(embedding, float(readable[row])))
        return embeddings, readable

    def encode_tokens(self, tokens: Sequence[Tokens], *, show_progress: bool = False) -> np.ndarray:
        """Returns embeddings of what `tokenize` returned, (len(tokens), embedding_size) float32."""
        embeddings = np.zeros((len(tokens), self.embedding_size), dtype=np.float32)
        for chosen, _, _, pooled in self._batches(tokens, show_progress, needs_states=False):
            embeddings[chosen] = pooled
        return embeddings

    def cache_info(self) -> CacheInfo:
        """Returns how often the cache of embeddings could answer."""
        return self._cache.info() if self._cache is not None else CacheInfo(0, 0, 0, 0)

    def tokenize(self, texts: Sequence[str], prompt: Optional[str] = None) -> List[Tokens]:
        """Returns the tokens the encoder sees of each text, prompt and cut included.

        Args:
            texts: As for `encode`.
            prompt: Put before every text; None takes the encoder's own.

        Raises:
            ConfigError: If the prompt leaves no room for text.
        """
        _check_texts(texts)
        if prompt is not None:
            self._check_prompt(prompt)
        if self.plan.drop_end:
            most = most_characters(self.max_length)  # the end of a longer one is not read at all
            texts = [text if len(text) > most else without_end(text) for text in texts]
        prompt = self.prompt if prompt is None else prompt
        return self.model.tokenizer.tokenize(texts, self.max_length, prompt)

    def readable_shares(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the share of each text that the vocabulary knows, in [0, 1], (n_texts,).

        Whatever it does not know becomes one and the same token, whose embedding says nothing.
        """
        return np.array([tokens.readable_share for tokens in self.tokenize(texts)])

    def encode_detailed(
        self, texts: Sequence[str], *, show_progress: bool = False
    ) -> List[EncodedText]:
        """Returns embeddings and, for every token, its last state and where it was pruned."""
        encoded: List[Optional[EncodedText]] = [None] * len(texts)
        spec = self.model.spec
        for chosen, tokens, result, pooled in self._batches(self.tokenize(texts), show_progress):
            ends = np.cumsum([len(t) for t in tokens])
            states = np.split(result.states, ends[:-1])
            pruned_after = np.split(result.pruned_after, ends[:-1])
            for row, index in enumerate(chosen):
                encoded[index] = EncodedText(
                    embedding=pooled[row],
                    states=states[row].copy(),
                    tokens=tokens[row],
                    pruned_after=pruned_after[row],
                    token_layers=token_layers(pruned_after[row], self.plan, spec.kv_share),
                    n_layers=spec.n_layers,
                )
        return [item for item in encoded if item is not None]

    def _batches(
        self, tokens: Sequence[Tokens], show_progress: bool, *, needs_states: bool = True
    ) -> Iterator[Tuple[List[int], List[Tokens], ForwardResult, np.ndarray]]:
        """Yields (text numbers, tokens, forward result, embeddings), like lengths together."""
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        progress = tqdm(total=len(tokens), desc="Encoding") if show_progress else None
        for chosen in self._cut(order, tokens):
            batch = [tokens[index] for index in chosen]
            result, pooled = self._run(batch, needs_states)
            if progress is not None:
                progress.update(len(chosen))
            yield chosen, batch, result, pooled
        if progress is not None:
            progress.close()

    def _cut(self, order: List[int], tokens: Sequence[Tokens]) -> Iterator[List[int]]:
        """Yields batches of at most batch_size texts and _MAX_BATCH_TOKENS tokens."""
        chosen: List[int] = []
        n_tokens = 0
        for index in order:
            n_tokens += len(tokens[index])
            if chosen and (len(chosen) == self.batch_size or n_tokens > _MAX_BATCH_TOKENS):
                yield chosen
                chosen, n_tokens = [], len(tokens[index])
            chosen.append(index)
        if chosen:
            yield chosen

    def _check_prompt(self, prompt: str) -> None:
        n_prompt = len(self.model.tokenizer.tokenize([""], self.max_length, prompt)[0])
        if n_prompt >= self.max_length:
            raise ConfigError(
                f"max_length {self.max_length} leaves no room for text behind the prompt "
                f"{prompt!r}; raise max_length"
            )

    def _run(self, batch: List[Tokens], needs_states: bool) -> Tuple[ForwardResult, np.ndarray]:
        model = self.model
        packed = PackedTokens.of(batch, model.spec.position_offset)
        has_outsiders = not model.spec.include_prompt and any(item.n_prompt for item in batch)
        result = model.runner.run(packed, self.plan, needs_states=needs_states or has_outsiders)
        if result.pooled is not None and not has_outsiders:
            return result, result.pooled
        states, lengths = result.states, packed.lengths
        is_pooled = pooled_rows(batch, result.pruned_after, self.plan, model.spec)
        if is_pooled is not None:
            states, lengths = states[is_pooled], count_pooled(lengths, is_pooled)
        pooled = pool(states, lengths, model.spec, model.dense)
        return result, pooled.astype(np.float32, copy=False)


def _check_texts(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise ConfigError(f"texts must be a list of strings, got one string: {texts[:40]!r}")
