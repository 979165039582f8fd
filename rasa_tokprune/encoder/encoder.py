"""The encoder: texts in, sentence embeddings out."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from tqdm import tqdm

from rasa_tokprune.encoder.checkpoint import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.encoder.forward import NEVER_PRUNED, ForwardResult, PackedTokens, forward
from rasa_tokprune.encoder.plan import PruneMode, PruningPlan
from rasa_tokprune.encoder.plans import resolve_plan
from rasa_tokprune.encoder.pooling import pool
from rasa_tokprune.encoder.shared import SharedModel, share_model
from rasa_tokprune.encoder.tokens import Tokens
from rasa_tokprune.errors import ConfigError

DEFAULT_BATCH_SIZE = 64
# Bounds memory: attention of long texts grows with the square of their length.
_MAX_BATCH_TOKENS = 8192


@dataclasses.dataclass(frozen=True)
class EncodedText:
    """One text, encoded, with what happened to each of its tokens.

    Attributes:
        embedding: (embedding_size,) float32.
        states: Last state of every token; pruned ones: the state they were left with,
            (n_tokens, hidden_size) float32.
        tokens: The token ids, offsets and flags behind `states`.
        pruned_after: Layer after which each token was pruned, -1 if never, (n_tokens,).
        token_layers: Rows put through a layer, a key-and-value-only row counting as its
            share of a layer's matrix work.
        n_layers: Layers of the un-pruned model; full cost is n_tokens * n_layers.
    """

    embedding: np.ndarray
    states: np.ndarray
    tokens: Tokens
    pruned_after: np.ndarray
    token_layers: float
    n_layers: int

    @property
    def cost(self) -> float:
        """Token-layers spent as a share of the un-pruned model's, in (0, 1]."""
        return self.token_layers / (len(self.tokens) * self.n_layers)


class Encoder:
    """Encodes texts with a pruning plan. Holds no state between calls; thread-safe."""

    def __init__(
        self,
        model: SharedModel,
        plan: PruningPlan,
        *,
        folder: Optional[Path] = None,
        max_length: Optional[int] = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        prompt_name: Optional[str] = None,
    ) -> None:
        """Combines a loaded model with settings; see `load_encoder`."""
        plan.check_fits(model.spec.n_layers)
        model.spec.check_max_length(max_length)
        if batch_size < 1:
            raise ConfigError(f"batch_size must be >= 1, got {batch_size}")
        self.model = model
        self.folder = folder
        self.plan = plan
        self.max_length = model.spec.max_seq_length if max_length is None else max_length
        self.batch_size = batch_size
        self.prompt = model.spec.prompt(prompt_name)
        self._check_prompt()
        parts = [model.identity, plan.fingerprint(), str(self.max_length), self.prompt]
        self._fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def hidden_size(self) -> int:
        """Width of a token's state."""
        return self.model.spec.hidden_size

    @property
    def embedding_size(self) -> int:
        """Width of a sentence embedding."""
        dense = self.model.weights.dense
        if dense:
            return int(dense[-1].weight.shape[0])
        return self.hidden_size * len(self.model.spec.pooling)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides an embedding: weights, plan, length, prompt."""
        return self._fingerprint

    def encode(self, texts: Sequence[str], *, show_progress: bool = False) -> np.ndarray:
        """Returns sentence embeddings, (len(texts), embedding_size) float32.

        Args:
            texts: Any number of strings, of any length; long ones are cut at max_length.
            show_progress: Draw a progress bar.
        """
        return self.encode_tokens(self.tokenize(texts), show_progress=show_progress)

    def tokenize(self, texts: Sequence[str]) -> List[Tokens]:
        """Returns the tokens the encoder sees of each text, prompt and cut included."""
        if isinstance(texts, str):
            raise ConfigError(f"texts must be a list of strings, got one string: {texts[:40]!r}")
        return self.model.tokenizer.tokenize(texts, self.max_length, self.prompt)

    def encode_tokens(self, tokens: Sequence[Tokens], *, show_progress: bool = False) -> np.ndarray:
        """Returns sentence embeddings of tokenized texts; see `encode`."""
        embeddings = np.zeros((len(tokens), self.embedding_size), dtype=np.float32)
        for chosen, _, _, pooled in self._batches(tokens, show_progress):
            embeddings[chosen] = pooled
        return embeddings

    def encode_detailed(
        self, texts: Sequence[str], *, show_progress: bool = False
    ) -> List[EncodedText]:
        """Returns embeddings and, for every token, its last state and where it was pruned."""
        encoded: List[Optional[EncodedText]] = [None] * len(texts)
        for chosen, tokens, result, pooled in self._batches(self.tokenize(texts), show_progress):
            ends = np.cumsum([len(t) for t in tokens])
            states = np.split(result.states.cpu().numpy(), ends[:-1])
            pruned_after = np.split(result.pruned_after.cpu().numpy(), ends[:-1])
            kv_share = self.model.spec.kv_share
            token_layers = (result.rows_full + kv_share * result.rows_kv).tolist()
            for row, index in enumerate(chosen):
                encoded[index] = EncodedText(
                    embedding=pooled[row],
                    states=states[row].copy(),
                    tokens=tokens[row],
                    pruned_after=pruned_after[row],
                    token_layers=token_layers[row],
                    n_layers=self.model.spec.n_layers,
                )
        return [item for item in encoded if item is not None]

    def _batches(
        self, tokens: Sequence[Tokens], show_progress: bool
    ) -> Iterator[Tuple[List[int], List[Tokens], ForwardResult, np.ndarray]]:
        """Yields (text numbers, tokens, forward result, embeddings), like lengths together."""
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        with tqdm(total=len(tokens), desc="Encoding", disable=not show_progress) as progress:
            for chosen in self._cut(order, tokens):
                batch = [tokens[index] for index in chosen]
                result, pooled = self._run(batch)
                progress.update(len(chosen))
                yield chosen, batch, result, pooled

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

    def _check_prompt(self) -> None:
        n_prompt = len(self.model.tokenizer.tokenize([""], self.max_length, self.prompt)[0])
        if n_prompt >= self.max_length:
            raise ConfigError(
                f"max_length {self.max_length} leaves no room for text behind the model's prompt "
                f"{self.prompt!r}; raise max_length"
            )

    def _run(self, batch: List[Tokens]) -> Tuple[ForwardResult, np.ndarray]:
        model = self.model
        with torch.inference_mode():
            packed = self._pack(batch)
            result = forward(model.weights, model.spec, packed, self.plan)
            is_pooled = self._pooled_rows(batch, result)
            pooled = pool(result.states, packed.lengths, is_pooled, model.spec, model.weights)
            return result, pooled.cpu().numpy()

    def _pack(self, batch: List[Tokens]) -> PackedTokens:
        spec = self.model.spec
        arrays = (
            np.concatenate([t.ids for t in batch]),
            np.concatenate([position_ids(t.ids, spec.position_offset) for t in batch]),
            np.concatenate([t.is_special | (np.arange(len(t)) < t.n_prompt) for t in batch]),
            np.array([len(t) for t in batch]),
        )
        return PackedTokens(*(torch.from_numpy(a).to(self.model.device) for a in arrays))

    def _pooled_rows(self, batch: List[Tokens], result: ForwardResult) -> torch.Tensor:
        is_pooled = torch.ones_like(result.pruned_after, dtype=torch.bool)
        if self.plan.mode is PruneMode.DROP:
            is_pooled &= result.pruned_after == NEVER_PRUNED
        if self.prompt and not self.model.spec.include_prompt:
            outside = np.concatenate([np.arange(len(t)) >= t.n_prompt for t in batch])
            is_pooled &= torch.from_numpy(outside).to(is_pooled.device)
        return is_pooled


def position_ids(ids: np.ndarray, offset: int) -> np.ndarray:
    """Returns rows of the position embedding, (n_tokens,) int64.

    RoBERTa and MPNet (offset = pad id + 1) count only tokens that are not the pad token, as
    Hugging Face does; a user can type that token.
    """
    if offset == 0:
        return np.arange(len(ids))
    is_real = ids != offset - 1
    return np.cumsum(is_real) * is_real + offset - 1


def load_encoder(
    model: str = "",
    *,
    prune: Union[str, Path, PruningPlan] = "off",
    revision: Optional[str] = None,
    cache_dir: Optional[str] = None,
    local_files_only: bool = False,
    device: str = "cpu",
    max_length: Optional[int] = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    prompt_name: Optional[str] = None,
) -> Encoder:
    """Loads an encoder; weights are shared with every other encoder of this process.

    Args:
        model: Folder or hub id; empty takes sentence-transformers/all-MiniLM-L6-v2.
        prune: 'off', a shipped plan's name, a plan file, or a plan.
        revision: Branch, tag or commit on the hub.
        cache_dir: Where the hub's files are kept.
        local_files_only: Never use the network.
        device: 'cpu', 'cuda', 'cuda:1', or 'auto' (cuda if there is one).
        max_length: Most tokens of a text, special tokens counted; None takes the model's own.
        batch_size: Texts per forward pass.
        prompt_name: Prompt of the checkpoint to put before every text; None takes its default.

    Raises:
        CheckpointError: If the model cannot be found, read or used.
        ConfigError: If a setting is out of range.
    """
    folder = find_checkpoint(
        model or DEFAULT_MODEL,
        revision=revision,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
    )
    shared = share_model(folder, device)
    return Encoder(
        shared,
        resolve_plan(prune, shared.spec.n_layers),
        folder=folder,
        max_length=max_length,
        batch_size=batch_size,
        prompt_name=prompt_name,
    )
