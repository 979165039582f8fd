"""Encodes every text once; what was encoded is kept on disk by content."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import Dict, Iterable, Optional

import numpy as np
from safetensors import SafetensorError  # type: ignore[attr-defined]
from safetensors.numpy import load, save
from tqdm import tqdm

from rasa_tokprune.encoder import Encoder
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.stored import store

# Raised when another text is made of a message before it is tokenized.
_REVISION = 2
# Texts encoded at a time, and how often a killed run's work is saved.
_CHUNK = 256
_SAVE_EVERY_S = 30.0


class EmbeddingStore:
    """Embeddings on disk: one file for each encoder, named by its fingerprint."""

    def __init__(self, folder: Optional[Path]) -> None:
        """Opens a folder, which need not exist; None keeps nothing."""
        self._folder = folder

    def read(self, fingerprint: str, size: int) -> Dict[bytes, np.ndarray]:
        """Returns embeddings by the sha256 of their text; none from a damaged file.

        Args:
            fingerprint: The encoder's.
            size: Of its embeddings.
        """
        path = self._path(fingerprint)
        try:
            arrays = load(path.read_bytes()) if path is not None else {}
            digests, vectors = arrays["digests"], arrays["vectors"]
        except (OSError, KeyError, ValueError, SafetensorError):
            return {}
        is_whole = (
            digests.dtype == np.uint8
            and vectors.dtype == np.float32
            and digests.shape == (len(vectors), 32)
            and vectors.shape == (len(vectors), size)
            and bool(np.isfinite(vectors).all())
        )
        if not is_whole:
            return {}
        return {digest.tobytes(): vector for digest, vector in zip(digests, vectors)}

    def write(self, fingerprint: str, vectors: Dict[bytes, np.ndarray]) -> None:
        """Keeps embeddings; the file is written whole or not at all."""
        if not vectors or self._folder is None:
            return
        digests = np.frombuffer(b"".join(vectors), dtype=np.uint8).reshape(-1, 32)
        content = save({"digests": digests, "vectors": np.stack(list(vectors.values()))})
        store(content, self._path(fingerprint))

    def keep_latest(self, count: int) -> None:
        """Deletes all files but those written last, so many of them."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):  # of another user, or deleted meanwhile
            files = sorted(
                self._folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime
            )
            for file in files[:-count]:
                file.unlink()

    def _path(self, fingerprint: str) -> Optional[Path]:
        name = f"{fingerprint}-{_REVISION}.safetensors"
        return None if self._folder is None else self._folder / name


def embed_texts(
    encoder: Encoder,
    texts: Iterable[str],
    cache: EmbeddingStore,
    progress_name: Optional[str],
    *,
    most: Optional[int] = None,
) -> Dict[str, np.ndarray]:
    """Returns the embedding, (d,), of every text; only what `cache` lacks is encoded.

    Args:
        encoder: What encodes.
        texts: Any number, with repetitions.
        cache: Keeps embeddings, also those of a run that was stopped.
        progress_name: Name of the progress bar; None draws none.
        most: Embeddings of other texts are given up where the file would hold more than this; None
            keeps all.
    """
    digest_of = {text: _digest(text) for text in texts}
    known = cache.read(encoder.fingerprint, encoder.embedding_size)
    missing = sorted((text for text in digest_of if digest_of[text] not in known), key=len)
    progress = tqdm(
        total=len(digest_of),
        initial=len(digest_of) - len(missing),
        desc=progress_name,
        disable=progress_name is None,
    )
    saved = time.monotonic()
    try:
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            for text, vector in zip(chunk, encoder.encode(chunk, zero_blank=True)):
                known[digest_of[text]] = vector
            progress.update(len(chunk))
            if time.monotonic() - saved > _SAVE_EVERY_S:
                cache.write(encoder.fingerprint, known)
                saved = time.monotonic()
    finally:
        progress.close()
        if missing and most is not None and len(known) > most:
            known = {digest: known[digest] for digest in digest_of.values() if digest in known}
        if missing:
            cache.write(encoder.fingerprint, known)
    return {text: known[digest] for text, digest in digest_of.items()}


def read_embeddings(path: Path, texts: Iterable[str]) -> Dict[str, np.ndarray]:
    """Returns the embeddings, (d,), that a file has of some texts.

    Args:
        path: A file as this module keeps them: `digests`, (n, 32) uint8, the sha256 of each text,
            and `vectors`, (n, d), in half, single or double precision.
        texts: Texts to look for.

    Raises:
        ConfigError: If it cannot be read, or one of them is not finite.
    """
    try:
        arrays = load(path.read_bytes())
        digests, vectors = arrays["digests"], arrays["vectors"]
        if digests.shape != (len(vectors), 32) or vectors.ndim != 2:
            raise ValueError(f"their shapes are {digests.shape} and {vectors.shape}")
        rows = {digest.tobytes(): row for row, digest in enumerate(digests)}
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise ConfigError(
            f"'{path}' holds no embeddings ({error}); it must be a safetensors file with the "
            f"tensors 'digests' and 'vectors'"
        ) from error
    numbers = {text: rows.get(_digest(text)) for text in texts}
    found = {text: vectors[row] for text, row in numbers.items() if row is not None}
    if not all(np.isfinite(vector).all() for vector in found.values()):
        raise ConfigError(f"'{path}' holds embeddings with NaN or infinite values; compute it anew")
    return found


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
