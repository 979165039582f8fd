"""Cross-validates pipelines on a published bot with `rasa test nlu`; writes raw JSON lines.

python -m rasa_tokprune.evaluation.cross_validation BOT --out FILE.jsonl --markdown README.md

The bot's own pipeline runs as it is, less the components that need servers or models that are not
part of Rasa; ours is the intent classifier alone, with the bot's own FallbackClassifier.
Pipelines that the output file already holds are not run again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Sequence

from rasa_tokprune.evaluation.bench.machine import environment
from rasa_tokprune.evaluation.rasa_runs import call
from rasa_tokprune.evaluation.rasa_table import read_rows, update_table, write_rows

MARKER = "financial_demo"
_NOT_PART_OF_RASA = ("DucklingEntityExtractor", "SpacyNLP", "SpacyEntityExtractor")


def own_pipeline(bot: Path) -> List[Dict[str, Any]]:
    """Returns a bot's pipeline without what needs other servers or models."""
    import rasa.shared.utils.io

    config = rasa.shared.utils.io.read_config_file(bot / "config.yml")
    return [c for c in config["pipeline"] if c["name"] not in _NOT_PART_OF_RASA]


def cross_validate(bot: Path, pipeline: List[Dict[str, Any]]) -> Dict[str, Any]:
    """Returns 5-fold accuracy and weighted F1 of a pipeline on a bot's NLU data."""
    import rasa.shared.utils.io

    config = rasa.shared.utils.io.read_config_file(bot / "config.yml")
    config["pipeline"] = pipeline
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        rasa.shared.utils.io.write_yaml(config, work / "config.yml")
        data = ["--nlu", str((bot / "data").resolve()), "--domain", str(bot.resolve())]
        call(["test", "nlu", "--cross-validation", "--no-plot", *data], work)
        report = json.loads((work / "results" / "intent_report.json").read_text())
    return {
        "accuracy": report["accuracy"],
        "f1": report["weighted avg"]["f1-score"],
        "n": report["weighted avg"]["support"],
    }


def render(rows: Sequence[Dict[str, Any]]) -> str:
    """Returns a Markdown table, one line per pipeline."""
    lines = ["| pipeline | accuracy % | weighted F1 % |", "|---|--:|--:|"]
    for row in rows:
        accuracy, f1 = f"{100 * row['accuracy']:.1f}", f"{100 * row['f1']:.1f}"
        lines.append(f"| {row['pipeline']} | {accuracy} | {f1} |")
    return "\n".join(lines)


def main() -> None:
    """Parses the command line, measures both pipelines and updates the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bot", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--markdown", type=Path, required=True)
    arguments = parser.parse_args()
    own = own_pipeline(arguments.bot)
    fallback = [c for c in own if c["name"] == "FallbackClassifier"]
    ours = [{"name": "rasa_tokprune.TokPruneIntentClassifier"}, *fallback]
    rows = read_rows(arguments.out) if arguments.out.is_file() else []
    done = {row["pipeline"] for row in rows}
    for name, pipeline in (("own (DIET)", own), ("TokPruneIntentClassifier", ours)):
        if name in done:
            continue
        measured = cross_validate(arguments.bot, pipeline)
        rows.append({"pipeline": name, **measured, "environment": environment()})
        write_rows(rows, arguments.out)
    update_table(arguments.markdown, render(rows), MARKER)


if __name__ == "__main__":
    main()
