"""SetFit: the encoder is tuned on pairs of examples, then a logistic regression is fitted."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, List, Mapping, Sequence

from benchmarks.peers.interface import Answer

_FOLDER = "setfit"


class ContrastiveSetFit:
    """`setfit.Trainer` with its defaults, but for what the settings say."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Takes the key `model`, a folder, and `arguments`, of `TrainingArguments`."""
        self._model_folder = settings["model"]
        self._arguments = dict(settings.get("arguments", {}))
        self._model: Any = None
        self._classes: List[str] = []

    def fit(self, texts: Sequence[str], labels: Sequence[str], folder: Path) -> None:
        """Trains and saves."""
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments

        model = SetFitModel.from_pretrained(self._model_folder, device="cpu")
        examples = Dataset.from_dict({"text": list(texts), "label": list(labels)})
        with tempfile.TemporaryDirectory() as checkpoints:
            # Nothing is left behind and nobody is told: neither changes what is learned.
            quiet = {"report_to": "none", "save_strategy": "no", "show_progress_bar": False}
            arguments = TrainingArguments(output_dir=checkpoints, **quiet, **self._arguments)
            Trainer(model=model, args=arguments, train_dataset=examples).train()
        model.save_pretrained(str(folder / _FOLDER))

    def load(self, folder: Path) -> None:
        """Loads what was saved."""
        from setfit import SetFitModel

        self._model = SetFitModel.from_pretrained(str(folder / _FOLDER), device="cpu")
        self._classes = [str(name) for name in self._model.model_head.classes_]

    def answer(self, text: str) -> Answer:
        """Returns the likeliest class and its probability."""
        probabilities = self._model.predict_proba([text], as_numpy=True, show_progress_bar=False)[0]
        best = int(probabilities.argmax())
        return self._classes[best], float(probabilities[best])


def build(settings: Mapping[str, Any]) -> ContrastiveSetFit:
    """Returns the peer."""
    return ContrastiveSetFit(settings)
