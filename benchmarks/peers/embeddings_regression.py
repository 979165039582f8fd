"""sentence-transformers' embeddings and scikit-learn's logistic regression, both by default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, List, Mapping, Sequence

import numpy as np

from benchmarks.peers.interface import Answer

_ARRAYS, _CLASSES = "regression.npz", "classes.json"


class EmbeddingsRegression:
    """What many notebooks do first."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Takes the key `model`, a folder."""
        self._model = settings["model"]
        self._encoder: Any = None
        self._regression: Any = None
        self._classes: List[str] = []

    def fit(self, texts: Sequence[str], labels: Sequence[str], folder: Path) -> None:
        """Fits the regression; of it only arrays are kept."""
        from sklearn.linear_model import LogisticRegression

        self._open()
        regression = LogisticRegression().fit(self._embed(texts), list(labels))
        np.savez(folder / _ARRAYS, coef=regression.coef_, intercept=regression.intercept_)
        classes = json.dumps([str(name) for name in regression.classes_])
        (folder / _CLASSES).write_text(classes, encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Loads the model and the regression."""
        from sklearn.linear_model import LogisticRegression

        self._open()
        self._classes = json.loads((folder / _CLASSES).read_text(encoding="utf-8"))
        self._regression = LogisticRegression()
        with np.load(folder / _ARRAYS) as arrays:
            self._regression.coef_ = arrays["coef"]
            self._regression.intercept_ = arrays["intercept"]
        self._regression.classes_ = np.arange(len(self._classes))

    def answer(self, text: str) -> Answer:
        """Returns the likeliest class and its probability."""
        probabilities = self._regression.predict_proba(self._embed([text]))[0]
        best = int(probabilities.argmax())
        return self._classes[best], float(probabilities[best])

    def _open(self) -> None:
        from sentence_transformers import SentenceTransformer

        self._encoder = SentenceTransformer(self._model, device="cpu")

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.asarray(self._encoder.encode(list(texts), show_progress_bar=False))


def build(settings: Mapping[str, Any]) -> EmbeddingsRegression:
    """Returns the peer."""
    return EmbeddingsRegression(settings)
