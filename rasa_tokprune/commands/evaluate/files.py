"""What a run leaves in its folder: Rasa's own files, plots, every single answer."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any, List, Mapping, Sequence

from rasa_tokprune.commands.evaluate.plots import plain_text
from rasa_tokprune.commands.evaluate.reports import ERRORS, REPORT, SUCCESSES, write_reports
from rasa_tokprune.commands.evaluate.runs import Answer, as_predictions
from rasa_tokprune.extras import is_installed

RASA_PLOTS = ("intent_confusion_matrix.png", "intent_histogram.png")
RASA_FILES = (REPORT, ERRORS, SUCCESSES, *RASA_PLOTS)
PLOTS = ("calibration.png", "coverage.png", "oos.png")
PREDICTIONS = "predictions.json"


def write_run(
    row: Mapping[str, Any], answers: Sequence[Answer], folder: Path, *, use_plots: bool
) -> None:
    """Writes a run's files, and removes those an earlier run left.

    Args:
        row: The raw row.
        answers: Every answer.
        folder: Made if it is not there.
        use_plots: Whether to draw.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*RASA_FILES, *PLOTS, PREDICTIONS):  # Rasa writes no errors if there are none
        (folder / name).unlink(missing_ok=True)
    content = [dataclasses.asdict(answer) for answer in answers]
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / PREDICTIONS).write_text(text, encoding="utf-8", errors="surrogatepass")
    write_reports(answers, folder)
    if use_plots:
        # Of the imports of Rasa and matplotlib; Rasa's import sets filters of its own.
        with warnings.catch_warnings(record=True):
            if is_installed("rasa"):
                _draw_as_rasa(answers, folder)
            from rasa_tokprune.commands.evaluate.plots import draw_run

            draw_run(row, as_predictions(list(answers)), folder)


def _draw_as_rasa(answers: Sequence[Answer], folder: Path) -> None:
    """Lets Rasa draw what `rasa test nlu` draws of the test messages."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Rasa imports TensorFlow, which talks
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from rasa.nlu.test import IntentEvaluationResult, evaluate_intents

    # matplotlib reads what stands between two dollar signs as mathematics: plots get names with
    # those escaped, the other files do not.
    results: List[IntentEvaluationResult] = [
        IntentEvaluationResult(
            plain_text(answer.intent),
            plain_text(answer.predicted),
            answer.text,
            answer.confidence,
        )
        for answer in answers
        if answer.intent is not None
    ]
    with tempfile.TemporaryDirectory() as drawings:
        evaluate_intents(
            results,
            drawings,
            successes=False,
            errors=False,
            disable_plotting=False,
            report_as_dict=True,
        )
        for name in RASA_PLOTS:
            shutil.move(str(Path(drawings) / name), folder / name)
    plt.close("all")
