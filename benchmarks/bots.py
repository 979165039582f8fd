"""Encoders and classifiers as the components make them, for measuring without Rasa."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from rasa_tokprune.commands.evaluate.encoders import EncoderChoice
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.fewshot import CONTENT_FREE_TEXTS, Messages, PrototypeClassifier, embed_names

# What the components take without the key `prune`.
DEFAULT = "default"
# Rows without `min_tokens` are older than the default plan's use at every length: it then left
# texts of fewer tokens un-pruned.
_EARLIER_LEAST = 8


def open_encoder(plan: str, adapter: str = AUTO, model: str = DEFAULT_MODEL) -> Encoder:
    """Returns the encoder with a plan by name.

    Args:
        plan: Name or file, or `DEFAULT`.
        adapter: As for `load_encoder`.
        model: Folder or hub id.
    """
    return EncoderChoice(model, None if plan == DEFAULT else plan, AUTO, AUTO, adapter).open()


def plan_text(row: Mapping[str, Any]) -> str:
    """Returns a row's plan as tables name it; of an earlier default also what it left alone.

    Args:
        row: With `plan` and, if it is of today, the plan's `min_tokens`.
    """
    least = row.get("min_tokens", _EARLIER_LEAST)
    is_earlier = row["plan"] == DEFAULT and least
    return f"`{row['plan']}` from {least} tokens on" if is_earlier else f"`{row['plan']}`"


def fit(
    texts: Sequence[str],
    labels: Sequence[str],
    encoder: Encoder,
    lexical_weight: Optional[float] = None,
) -> PrototypeClassifier:
    """Returns a classifier as `rasa train` makes it.

    Args:
        texts: Examples.
        labels: Intent of each.
        encoder: What embeds them.
        lexical_weight: Of the lexical view, 0 goes without it; None: the default.
    """
    examples = Messages.encoded(texts, encoder)
    return PrototypeClassifier.fit(
        examples.embeddings,
        labels,
        names=embed_names(labels, encoder.encode),
        texts=examples.texts,
        readable=examples.readable,
        content_free=encoder.encode(CONTENT_FREE_TEXTS),
        lexical_weight=lexical_weight,
    )


def add_drawn(parser: argparse.ArgumentParser) -> None:
    """Adds `--intents`, what bots are drawn of, `--prune` and `--model`."""
    parser.add_argument(
        "--intents", type=Path, required=True, help="folder of the files bots are drawn of"
    )
    parser.add_argument(
        "--prune",
        nargs="+",
        required=True,
        metavar="PLAN",
        help=f"'{DEFAULT}' is what the components take without the key",
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub id")


def add_adapters(parser: argparse.ArgumentParser) -> None:
    """Adds `--adapter`, a file for each plan that is not to run with its own."""
    parser.add_argument(
        "--adapter",
        nargs="+",
        default=[],
        metavar="PLAN=FILE",
        help="another adapter than the plan's own",
    )
