"""Prototypes on disk: arrays as safetensors, names and provenance as JSON. No pickle."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from safetensors import SafetensorError  # type: ignore[attr-defined]
from safetensors.numpy import load, save

from rasa_tokprune.errors import StorageError
from rasa_tokprune.fewshot.calibration.confidence import ConfidenceMap
from rasa_tokprune.fewshot.classifier import PrototypeClassifier
from rasa_tokprune.fewshot.head import PrototypeHead
from rasa_tokprune.fewshot.lexical.view import LexicalView
from rasa_tokprune.fewshot.lexical.vocabulary import Vocabulary

ARRAYS_FILE = "prototypes.safetensors"
NAMES_FILE = "prototypes.json"
EXAMPLES_FILE = "examples.json"
REPORT_FILE = "report.json"
LEXICAL_ARRAYS_FILE = "lexical.safetensors"
LEXICAL_NAMES_FILE = "lexical.json"
FORMAT_VERSION = 3
# Half precision loses nothing of these: see PrototypeHead.
_HALVED = ("examples", "content_free")
# Without a lexical view, which came with format 3.
_READ_VERSIONS = (2, FORMAT_VERSION)
# What the confidences of format 2, which is that of version 0.2, were calibrated with.
_COSINE_WEIGHT_OF_2 = 5.0


def save_prototypes(
    classifier: PrototypeClassifier,
    folder: Path,
    provenance: Mapping[str, str],
    *,
    examples: Sequence[str] = (),
    report: Optional[Mapping[str, Any]] = None,
) -> None:
    """Writes prototypes to `folder`.

    Args:
        classifier: What to store.
        folder: An existing folder.
        provenance: What made the embeddings; `load_prototypes` returns it for checking.
        examples: Texts of the support set, for explanations.
        report: What `training_report` returned; None stores none.

    Raises:
        StorageError: If the folder cannot be written.
    """
    arrays = {**classifier.head.arrays(), "sources": classifier.sources}
    for name in _HALVED:
        arrays[name] = arrays[name].astype(np.float16)
    names = {
        "format_version": FORMAT_VERSION,
        "provenance": dict(provenance),
        "classes": classifier.classes,
        "keys": classifier.keys,
        "confidence_map": dataclasses.asdict(classifier.confidence_map),
        "temperature": classifier.temperature,
        "oos_classes": classifier.oos_classes,
        "has_lexical_view": classifier.lexical is not None,
    }
    try:
        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
        (folder / ARRAYS_FILE).write_bytes(content)
        _write_json(names, folder / NAMES_FILE)
        _write_json(list(examples), folder / EXAMPLES_FILE)
        _write_lexical(classifier.lexical, folder)
        (folder / REPORT_FILE).unlink(missing_ok=True)
        if report is not None:
            _write_json(report, folder / REPORT_FILE)
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
        names = _read_json(folder / NAMES_FILE)
        arrays = load((folder / ARRAYS_FILE).read_bytes())
        if names["format_version"] not in _READ_VERSIONS:
            raise StorageError(
                f"'{folder / NAMES_FILE}' has format {names['format_version']}, expected "
                f"{FORMAT_VERSION}; train again with this version of the package"
            )
        provenance = {str(key): str(value) for key, value in names["provenance"].items()}
        has_lexical = names["format_version"] > 2 and names["has_lexical_view"]
        lexical = _read_lexical(folder) if has_lexical else None
        classifier = _restore(names, arrays, lexical)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise StorageError(
            f"prototypes in '{folder}' cannot be read ({type(error).__name__}: {error}); "
            f"train again"
        ) from error
    return classifier, provenance


def load_examples(folder: Path, n_least: int = 0) -> List[str]:
    """Reads the texts of the support set.

    Args:
        folder: Where `save_prototypes` wrote them.
        n_least: How many there have to be.

    Raises:
        StorageError: If their file is missing or damaged.
    """
    try:
        examples = [str(text) for text in _read_json(folder / EXAMPLES_FILE)]
        if len(examples) < n_least:
            raise ValueError(f"{len(examples)} texts, expected {n_least}")
        return examples
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(
            f"the examples in '{folder}' cannot be read ({type(error).__name__}: {error}); "
            f"train again"
        ) from error


def _write_json(content: Any, path: Path) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.write_text(text, encoding="utf-8", errors="surrogatepass")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))


def _write_lexical(view: Optional[LexicalView], folder: Path) -> None:
    if view is None:
        for name in (LEXICAL_ARRAYS_FILE, LEXICAL_NAMES_FILE):
            (folder / name).unlink(missing_ok=True)
        return
    # Half precision loses nothing: see LexicalView.
    arrays = {"weights": view.weights.astype(np.float16), "idf": view.vocabulary.idf}
    names = {
        "ngrams": view.vocabulary.ngrams,
        "unknown_idf": view.vocabulary.unknown_idf,
        "weight": view.weight,
        "shared": sorted(view.shared),
    }
    (folder / LEXICAL_ARRAYS_FILE).write_bytes(save(arrays))
    _write_json(names, folder / LEXICAL_NAMES_FILE)


def _read_lexical(folder: Path) -> LexicalView:
    names = _read_json(folder / LEXICAL_NAMES_FILE)
    arrays = load((folder / LEXICAL_ARRAYS_FILE).read_bytes())
    vocabulary = Vocabulary(tuple(names["ngrams"]), arrays["idf"], float(names["unknown_idf"]))
    weights = np.ascontiguousarray(arrays["weights"].astype(np.float32))
    shared = frozenset(map(str, names["shared"]))
    return LexicalView(vocabulary, weights, float(names["weight"]), shared)


def _restore(
    names: Mapping[str, Any], arrays: Dict[str, np.ndarray], lexical: Optional[LexicalView]
) -> PrototypeClassifier:
    sources = arrays.pop("sources")
    # Format 2 had neither.
    arrays.setdefault("content_free", arrays["examples"][:0])
    arrays.setdefault("advantage", np.zeros_like(arrays["biases"]))
    for name in _HALVED:
        arrays[name] = arrays[name].astype(np.float32)
    confidence_map = dict(names["confidence_map"])
    confidence_map["offsets"] = tuple(confidence_map["offsets"])
    return PrototypeClassifier(
        classes=tuple(names["classes"]),
        keys=tuple(names["keys"]),
        head=PrototypeHead(
            **arrays,
            cosine_weight=_COSINE_WEIGHT_OF_2 if names["format_version"] == 2 else None,
        ),
        confidence_map=ConfidenceMap(**confidence_map),
        temperature=float(names["temperature"]),
        oos_classes=tuple(names["oos_classes"]),
        sources=sources,
        lexical=lexical,
    )
