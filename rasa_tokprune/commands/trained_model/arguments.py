"""The arguments that commands which ask trained models have in common. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import Arguments
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.messages import FORMATS, MessageFile

# From here on the example bot's pipeline and the classifier alone gained nothing.
BATCH_SIZE = 256
MODEL = "trained Rasa model: an archive, or a folder, whose newest one is taken"


def add_trained_model(parser: Arguments) -> None:
    """Adds `--model`, the trained model; by default the newest one of the folder models."""
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("models"),
        metavar="PATH",
        help=f"{MODEL}; default: models",
    )


def add_messages(parser: Arguments) -> None:
    """Adds how a file of messages is read."""
    parser.add_argument(
        "--input-format", choices=FORMATS, metavar="FORMAT",
        help="of the messages: lines (a message a line), jsonl (a JSON object a line) or csv; "
        "default: by the file's ending, .jsonl or .csv, else lines",
    )  # fmt: skip
    parser.add_argument(
        "--text-key", default="text", metavar="NAME",
        help="key of the JSON objects, or column of the CSV file, that holds the message; "
        "default: text",
    )  # fmt: skip


def add_batches(parser: Arguments) -> None:
    """Adds how many messages are answered at once."""
    parser.add_argument(
        "--batch-size", type=int, default=BATCH_SIZE, metavar="N",
        help=f"messages that go through the pipeline together, from 1; default: {BATCH_SIZE}",
    )  # fmt: skip


def message_file(arguments: argparse.Namespace, name: str, id_key: str = "id") -> MessageFile:
    """Returns the file of messages that the options describe.

    Raises:
        ConfigError: If it is of another kind, or the batch size is not from 1.
    """
    if arguments.batch_size < 1:
        raise ConfigError(f"--batch-size must be a number from 1, got {arguments.batch_size}")
    return MessageFile(name, arguments.input_format, arguments.text_key, id_key)
