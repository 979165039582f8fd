"""Prototypes on disk: arrays as safetensors, names and provenance as JSON. No pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Mapping, Tuple

import numpy as np
from safetensors import SafetensorError  # type: ignore[attr-defined]
from safetensors.numpy import load, save

from rasa_tokprune.errors import StorageError
from rasa_tokprune.fewshot.classifier import PrototypeClassifier

ARRAYS_FILE = "prototypes.safetensors"
NAMES_FILE = "prototypes.json"
FORMAT_VERSION = 1


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
    arrays = {
        "prototypes": classifier.prototypes,
        "weights": classifier.weights,
        "biases": classifier.biases,
    }
    names = {
        "format_version": FORMAT_VERSION,
        "provenance": dict(provenance),
        "keys": classifier.keys,
        "classes": classifier.classes,
        "class_of_key": classifier.class_of_key,
        "temperature": classifier.temperature,
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
        classifier = PrototypeClassifier(
            keys=tuple(names["keys"]),
            classes=tuple(names["classes"]),
            class_of_key=tuple(names["class_of_key"]),
            prototypes=arrays["prototypes"],
            weights=arrays["weights"],
            biases=arrays["biases"],
            temperature=float(names["temperature"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise StorageError(
            f"prototypes in '{folder}' cannot be read ({type(error).__name__}: {error}); "
            f"train again"
        ) from error
    return classifier, provenance
