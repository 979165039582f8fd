"""Text to token ids, with character offsets."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from pathlib import Path
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Tuple

import numpy as np
from tokenizers import Tokenizer, normalizers

from rasa_tokprune.encoder.checkpoint.modules import read_json, transformer_folder
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.written import CHARACTERS_PER_TOKEN, most_characters, visible_text
from rasa_tokprune.errors import CheckpointError

# Chinese characters and Japanese syllables: most tokenizers make a token of each.
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# A vocabulary of fewer holds those that an English corpus strayed on, without their words. That of
# uncased English BERT holds 586, of Chinese BERT thousands.
_MIN_IDEOGRAPHS = 1000
# Tokens that the last word of a beginning may make at most.
_LONGEST_WORD = 128


@dataclasses.dataclass(frozen=True)
class Tokens:
    """One tokenized text.

    Attributes:
        ids: (n_tokens,) int64.
        is_special: (n_tokens,) bool, True for the tokens the tokenizer adds.
        spans: Characters [start, end) of each token in prompt and text, as the tokenizer says.
        n_prompt_chars: Characters of the prompt.
        n_prompt: Leading tokens that belong to the prompt, special ones counted.
        is_truncated: True if the text was longer than the encoder reads.
        n_unknown: Tokens that stand for what the vocabulary does not know, one like the other, or
            for a character of a language that it does not know.
    """

    ids: np.ndarray
    is_special: np.ndarray
    spans: Sequence[Tuple[int, int]]
    n_prompt_chars: int = 0
    n_prompt: int = 0
    is_truncated: bool = False
    n_unknown: int = 0

    def __len__(self) -> int:
        """Returns the number of tokens."""
        return len(self.ids)

    @functools.cached_property
    def offsets(self) -> np.ndarray:
        """Characters [start, end) in the text, (n_tokens, 2); (0, 0) for special and prompt tokens.

        Made when asked for: sentence embeddings do not need them.
        """
        offsets = np.array(self.spans, dtype=np.int64).reshape(-1, 2)
        offsets = np.clip(offsets - self.n_prompt_chars, 0, None)
        offsets[self.is_special] = 0
        return offsets

    @property
    def has_content(self) -> bool:
        """True if any character of the text became a token."""
        special = self.is_special.tolist()
        return any(
            end > max(start, self.n_prompt_chars) and not is_special
            for (start, end), is_special in zip(self.spans, special)
        )

    @property
    def readable_share(self) -> float:
        """Share of the text's tokens that the vocabulary knows, in [0, 1]; 0.0 without any."""
        n_own = self.n_own
        return 1.0 - self.n_unknown / n_own if n_own else 0.0

    @property
    def n_own(self) -> int:
        """Number of tokens without those of the prompt and special ones."""
        own = self.is_special.tolist()[self.n_prompt :]  # few: faster than numpy's sum
        return len(own) - sum(own)


class TextTokenizer:
    """A checkpoint's tokenizer as sentence-transformers would run it; thread-safe."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Wraps a tokenizer that neither pads nor truncates."""
        self._tokenizer = tokenizer
        self.n_special = len(tokenizer.encode("").ids)
        self._n_suffix = self._count_suffix()
        self._n_prompt: Dict[str, int] = {"": 0}
        self._unknown_ids = _unknown_ids(tokenizer)
        if self.n_special == 0:
            raise CheckpointError(
                "tokenizer.json adds no special tokens, so an empty text would have none; "
                "give it the model's post-processor and save it again"
            )

    @classmethod
    def from_content(cls, content: str, spec: EncoderSpec) -> TextTokenizer:
        """Builds the tokenizer that `read_tokenizer` described.

        Raises:
            CheckpointError: If the description is damaged.
        """
        try:
            tokenizer = Tokenizer.from_str(content)
        except Exception as error:  # tokenizers raises bare Exception
            raise CheckpointError(f"tokenizer.json is not usable: {error}") from error
        if spec.do_lower_case:
            _lower_first(tokenizer)
        return cls(tokenizer)

    def tokenize(self, texts: Sequence[str], max_length: int, prompt: str = "") -> List[Tokens]:
        """Tokenizes texts, each cut to `max_length` tokens, special tokens counted.

        Args:
            texts: Any strings; a lone surrogate counts as the replacement character, characters
                that show nothing count as nothing, nor do those behind `most_characters`.
            max_length: Most tokens of a text.
            prompt: Put before every text.
        """
        most = most_characters(max_length)
        safe = [prompt + self._beginning(text[:most], max_length) for text in texts]
        n_prompt = self._count_prompt(prompt)
        if len(safe) == 1:  # a batch of one would go through a thread pool
            encodings = [self._tokenizer.encode(safe[0])]
        else:
            encodings = self._tokenizer.encode_batch(safe)
        read = [self._to_tokens(e, max_length, len(prompt), n_prompt) for e in encodings]
        return [
            dataclasses.replace(tokens, is_truncated=True) if len(text) > most else tokens
            for text, tokens in zip(texts, read)
        ]

    def _beginning(self, text: str, max_length: int) -> str:
        """Returns a text, of a very long one so much that `max_length` tokens come out the same.

        But for a word of thousands of letters, which some vocabularies divide from its end.
        """
        size = CHARACTERS_PER_TOKEN * max_length
        while len(text) > size:
            beginning = visible_text(text[:size])
            # The last word may be cut.
            if len(self._tokenizer.encode(beginning).ids) > max_length + _LONGEST_WORD:
                return beginning
            size *= 4
        return visible_text(text)

    def _to_tokens(
        self, encoding: Any, max_length: int, n_prompt_chars: int, n_prompt: int
    ) -> Tokens:
        ids = np.array(encoding.ids, dtype=np.int64)
        spans = encoding.offsets
        n_tokens, n_suffix = len(ids), self._n_suffix
        if n_tokens > max_length:
            start = max_length - n_suffix
            ids = np.concatenate([ids[:start], ids[n_tokens - n_suffix :]])
            spans = spans[:start] + spans[n_tokens - n_suffix :]
        is_special = _special_mask(len(ids), self.n_special - n_suffix, n_suffix)
        is_truncated = n_tokens > max_length
        n_prompt = min(n_prompt, len(ids))
        unknown = self._unknown_ids
        n_unknown = sum([id_ in unknown for id_ in ids.tolist()[n_prompt:]]) if unknown else 0
        return Tokens(ids, is_special, spans, n_prompt_chars, n_prompt, is_truncated, n_unknown)

    def _count_prompt(self, prompt: str) -> int:
        if prompt not in self._n_prompt:
            self._n_prompt[prompt] = len(self._tokenizer.encode(prompt).ids) - self._n_suffix
        return self._n_prompt[prompt]

    def _count_suffix(self) -> int:
        mask = self._tokenizer.encode("a").special_tokens_mask
        n_suffix = 0
        while n_suffix < len(mask) and mask[len(mask) - 1 - n_suffix]:
            n_suffix += 1
        return n_suffix


@functools.lru_cache(maxsize=1024)
def _special_mask(n_tokens: int, n_prefix: int, n_suffix: int) -> np.ndarray:
    """Returns which tokens the tokenizer adds, (n_tokens,) bool, read-only."""
    is_special = np.zeros(n_tokens, dtype=bool)
    is_special[:n_prefix] = True
    is_special[n_tokens - n_suffix :] = True
    is_special.flags.writeable = False
    return is_special


def read_tokenizer(folder: Path) -> str:
    """Returns a checkpoint's tokenizer.json without padding and truncation, as JSON.

    Raises:
        CheckpointError: If it is missing or not JSON.
    """
    base = transformer_folder(folder)
    path = base / "tokenizer.json"
    if not path.is_file():
        raise CheckpointError(
            f"'{path}' is missing; save it with AutoTokenizer.from_pretrained(...)"
            f".save_pretrained('{base}')"
        )
    content = read_json(path)
    content["truncation"] = content["padding"] = None
    _apply_bert_settings(content, read_json(base / "tokenizer_config.json", required=False))
    return json.dumps(content, sort_keys=True)


def _apply_bert_settings(content: Dict[str, Any], settings: Dict[str, Any]) -> None:
    """Lets tokenizer_config.json overrule the normaliser of a BERT tokenizer.

    Hugging Face does the same when it loads one.
    """
    normalizer: Optional[Dict[str, Any]] = content.get("normalizer")
    if not normalizer or normalizer.get("type") != "BertNormalizer":
        return
    names = {
        "do_lower_case": "lowercase",
        "strip_accents": "strip_accents",
        "tokenize_chinese_chars": "handle_chinese_chars",
    }
    for setting, name in names.items():
        if setting in settings:
            normalizer[name] = settings[setting]


def _unknown_ids(tokenizer: Tokenizer) -> FrozenSet[int]:
    """Returns the ids that tell an encoder nothing; none of a vocabulary that knows every byte."""
    model = json.loads(tokenizer.to_str())["model"]
    unknown = model.get("unk_id")  # of a unigram model
    if unknown is None and model.get("unk_token"):
        unknown = tokenizer.token_to_id(model["unk_token"])
    if unknown is None:
        return frozenset()
    ideographs = [id_ for piece, id_ in tokenizer.get_vocab().items() if _IDEOGRAPH.search(piece)]
    strayed = ideographs if len(ideographs) < _MIN_IDEOGRAPHS else []
    return frozenset([int(unknown), *strayed])


def _lower_first(tokenizer: Tokenizer) -> None:
    lower = normalizers.Lowercase()
    own = tokenizer.normalizer
    tokenizer.normalizer = normalizers.Sequence([lower, own]) if own is not None else lower
