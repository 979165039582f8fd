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
from rasa_tokprune.commands.evaluate.runs import Answer, as_predictions

RASA_FILES = (
    "intent_report.json",
    "intent_errors.json",
    "intent_successes.json",
    "intent_confusion_matrix.png",
    "intent_histogram.png",
)
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
    # Of the imports of Rasa and matplotlib, and of precision where an intent was never answered;
    # filters would not do, as Rasa's import sets its own.
    with warnings.catch_warnings(record=True):
        write_rasa_files(answers, folder, use_plots=use_plots)
        if use_plots:
            from rasa_tokprune.commands.evaluate.plots import draw_run

            draw_run(row, as_predictions(list(answers)), folder)


def write_rasa_files(answers: Sequence[Answer], folder: Path, *, use_plots: bool) -> None:
    """Lets Rasa write what `rasa test nlu` writes of the test messages."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Rasa imports TensorFlow, which talks
    _let_rasa_write(answers, folder, use_plots=False)
    if not use_plots:
        return
    # matplotlib reads what stands between two dollar signs as mathematics: plots get names with
    # those escaped, the other files do not.
    drawn = [
        dataclasses.replace(
            answer, intent=plain_text(answer.intent), predicted=plain_text(answer.predicted)
        )
        for answer in answers
    ]
    with tempfile.TemporaryDirectory() as drawings:
        _let_rasa_write(drawn, Path(drawings), use_plots=True)
        for plot in Path(drawings).glob("*.png"):
            shutil.move(str(plot), folder / plot.name)


def _let_rasa_write(answers: Sequence[Answer], folder: Path, *, use_plots: bool) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from rasa.nlu.test import IntentEvaluationResult, evaluate_intents

    results: List[IntentEvaluationResult] = [
        IntentEvaluationResult(answer.intent, answer.predicted, answer.text, answer.confidence)
        for answer in answers
        if answer.intent is not None
    ]
    evaluate_intents(
        results,
        str(folder),
        successes=True,
        errors=True,
        disable_plotting=not use_plots,
        report_as_dict=True,
    )
    plt.close("all")
