"""Texts to measure with: real messages, and texts of an exact number of tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np
from tokenizers import Tokenizer

from rasa_tokprune.encoder.tokens import read_tokenizer
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.tasks import read_texts

# (name, least, most) tokens of a message, special tokens counted; None is no limit.
BUCKETS: Tuple[Tuple[str, int, Optional[int]], ...] = (
    ("<=8", 1, 8),
    ("9-16", 9, 16),
    ("17-32", 17, 32),
    ("33-64", 33, 64),
    ("65-128", 65, 128),
    (">128", 129, None),
)
# Different texts for each length, and where they begin.
N_TEXTS = 8
_SEED = 0
# Words that cannot be fitted in any more before a text is given up.
_PATIENCE = 400


def read_messages(paths: Sequence[Path]) -> List[str]:
    """Returns the messages of Rasa training data and of text files, one a line.

    Raises:
        ConfigError: If a file is missing or there is no message in any.
    """
    for path in paths:
        if not path.exists():
            raise ConfigError(f"messages: file '{path}' does not exist")
    messages = [text for path in paths for text in read_texts(path)]
    if not messages:
        raise ConfigError(f"messages: no message in {', '.join(map(str, paths)) or 'no file'}")
    return messages


def token_counter(folder: Path) -> Callable[[str], int]:
    """Returns a function: text -> tokens before any cut, special ones counted."""
    tokenizer = Tokenizer.from_str(read_tokenizer(folder))
    return lambda text: len(tokenizer.encode(text).ids)


def texts_by_length(
    messages: Sequence[str], folder: Path, lengths: Sequence[int]
) -> Dict[int, List[str]]:
    """Returns different texts of exactly each number of tokens, made of messages' words.

    Args:
        messages: Their words make the texts.
        folder: The checkpoint whose tokenizer counts.
        lengths: Tokens, special ones counted.

    Raises:
        ConfigError: If the words cannot be put together to some length.
    """
    count_tokens, words = token_counter(folder), words_of(messages)
    return {
        n_tokens: texts_of_length(n_tokens, words, count_tokens, n_texts=N_TEXTS, seed=_SEED)
        for n_tokens in lengths
    }


def texts_of_length(
    n_tokens: int,
    words: Sequence[str],
    count_tokens: Callable[[str], int],
    *,
    n_texts: int,
    seed: int,
) -> List[str]:
    """Makes different texts of exactly `n_tokens` tokens from runs of real words.

    Args:
        n_tokens: Tokens, special ones counted.
        words: Words in the order of the messages they come from.
        count_tokens: See `token_counter`.
        n_texts: How many texts.
        seed: Of the choice where each text begins.

    Raises:
        ConfigError: If the words cannot be put together to that length.
    """
    rng = np.random.default_rng([seed, n_tokens])
    return [
        _text_of_length(n_tokens, words, count_tokens, int(rng.integers(len(words))))
        for _ in range(n_texts)
    ]


def _text_of_length(
    n_tokens: int, words: Sequence[str], count_tokens: Callable[[str], int], start: int
) -> str:
    text, misses = "", 0
    for step in range(len(words) * 2):
        longer = f"{text} {words[(start + step) % len(words)]}".strip()
        length = count_tokens(longer)
        misses = misses + 1 if length > n_tokens else 0
        if misses == _PATIENCE:
            break
        if length <= n_tokens:
            text = longer
        if length == n_tokens:
            return text
    raise ConfigError(
        f"no text of exactly {n_tokens} tokens can be made from {len(words)} words; "
        f"give more messages"
    )


def by_bucket(
    messages: Sequence[str], count_tokens: Callable[[str], int], *, n_texts: int, seed: int
) -> Dict[str, List[str]]:
    """Samples up to `n_texts` messages of each bucket of lengths; empty buckets are left out."""
    shuffled = np.random.default_rng(seed).permutation(len(messages))
    chosen: Dict[str, List[str]] = {name: [] for name, _, _ in BUCKETS}
    for index in shuffled:
        n_tokens = count_tokens(messages[index])
        for name, least, most in BUCKETS:
            if least <= n_tokens <= (most or n_tokens) and len(chosen[name]) < n_texts:
                chosen[name].append(messages[index])
        if all(len(texts) == n_texts for texts in chosen.values()):
            break
    return {name: texts for name, texts in chosen.items() if texts}


def sample(messages: Sequence[str], n_texts: int, seed: int) -> List[str]:
    """Samples messages; with replacement if there are fewer than `n_texts`."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(messages), n_texts, replace=len(messages) < n_texts)
    return [messages[index] for index in chosen]


def words_of(messages: Sequence[str]) -> List[str]:
    """Returns the words of messages, in order."""
    return [word for message in messages for word in message.split()]
