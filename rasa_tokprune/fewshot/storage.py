"""Prototypes on disk: arrays as safetensors, names and provenance as JSON. No pickle."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

import numpy as np
from safetensors import SafetensorError  # type: ignore[attr-defined]
from safetensors.numpy import load, save

from rasa_tokprune.errors import StorageError
from rasa_tokprune.fewshot.classifier import PrototypeClassifier
from rasa_tokprune.fewshot.confidence import ConfidenceMap
from rasa_tokprune.fewshot.head import PrototypeHead

ARRAYS_FILE = "prototypes.safetensors"
NAMES_FILE = "prototypes.json"
FORMAT_VERSION = 2


def save_prototypes(
    classifier: PrototypeClassifier, folder: Path, provenance: Mapping[str, str]
) -> None:
    """Writes prototypes to `folder`.

    Args:
        classifier: What to store.
        folder: An existing folder.
        provenance: What made the embeddings; `load_prototypes` returns it for checking.

    Raises:
        StorageError: If the folder cannot be written.
    """
    arrays = {**classifier.head.arrays(), "sources": classifier.sources}
    arrays["examples"] = arrays["examples"].astype(np.float16)  # loses nothing: see PrototypeHead
    names = {
        "format_version": FORMAT_VERSION,
        "provenance": dict(provenance),
        "classes": classifier.classes,
        "keys": classifier.keys,
        "confidence_map": dataclasses.asdict(classifier.confidence_map),
        "temperature": classifier.temperature,
        "oos_classes": classifier.oos_classes,
    }
    try:
        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
        (folder / ARRAYS_FILE).write_bytes(content)
        text = json.dumps(names, indent=1, ensure_ascii=False)
        (folder / NAMES_FILE).write_text(text, encoding="utf-8", errors="surrogatepass")
    except OSError as error:
        raise StorageError(
            f"prototypes cannot be written to '{folder}': {error.strerror}; "
            f"check that the folder exists, is writable and has space"
        ) from error


def load_prototypes(folder: Path) -> Tuple[PrototypeClassifier, Mapping[str, str]]:
    """Reads what `save_prototypes` wrote: the classifier and its provenance.

    Raises:
        StorageError: If a file is missing, damaged or of another format.
    """
    try:
        text = (folder / NAMES_FILE).read_text(encoding="utf-8", errors="surrogatepass")
        names = json.loads(text)
        arrays = load((folder / ARRAYS_FILE).read_bytes())
        if names["format_version"] != FORMAT_VERSION:
            raise StorageError(
                f"'{folder / NAMES_FILE}' has format {names['format_version']}, expected "
                f"{FORMAT_VERSION}; train again with this version of the package"
            )
        provenance = {str(key): str(value) for key, value in names["provenance"].items()}
        classifier = _restore(names, arrays)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise StorageError(
            f"prototypes in '{folder}' cannot be read ({type(error).__name__}: {error}); "
            f"train again"
        ) from error
    return classifier, provenance


def _restore(names: Mapping[str, Any], arrays: Dict[str, np.ndarray]) -> PrototypeClassifier:
    sources = arrays.pop("sources")
    arrays["examples"] = arrays["examples"].astype(np.float32)
    confidence_map = dict(names["confidence_map"])
    confidence_map["offsets"] = tuple(confidence_map["offsets"])
    return PrototypeClassifier(
        classes=tuple(names["classes"]),
        keys=tuple(names["keys"]),
        head=PrototypeHead(**arrays),
        confidence_map=ConfidenceMap(**confidence_map),
        temperature=float(names["temperature"]),
        oos_classes=tuple(names["oos_classes"]),
        sources=sources,
    )
