"""The command line of `rasa-tokprune parse`: reads, answers, writes, sums up."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import Any, Callable, ContextManager, Dict, Iterable, Mapping, Optional, TextIO, Tuple

from rasa_tokprune.commands.output import json_text, prepare_file, whole_file
from rasa_tokprune.commands.parse.arguments import CSV, JSON_LINES, RASA
from rasa_tokprune.commands.parse.rows import Row, row_of, writer_of
from rasa_tokprune.commands.screen import Screen, shown_json
from rasa_tokprune.commands.trained_model.access import open_model
from rasa_tokprune.commands.trained_model.arguments import message_file
from rasa_tokprune.commands.trained_model.batches import answered
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.certificate.outcome import FALLBACK
from rasa_tokprune.terminal import printable
from rasa_tokprune.texts.messages import Message, MessageFile


def run(arguments: argparse.Namespace) -> None:
    """Answers a file of messages and says how many there were, and how fast it went.

    Raises:
        TokPruneError: If the input is wrong.
    """
    screen = Screen.of(arguments)
    file = message_file(arguments, arguments.messages, arguments.id_key)
    format_name = _check(arguments)
    n_messages = file.count()
    with contextlib.ExitStack() as opened:
        with screen.working("Loading the model"):
            model = opened.enter_context(open_model(arguments.model))
            model.load()
        try:
            summary = _answer_all(arguments, file, format_name, n_messages, model.parse, screen)
        except KeyboardInterrupt:
            if arguments.out is not None:
                screen.remark(f"what was answered is in '{arguments.out}.part'")
            raise
    _show(summary, arguments.out, screen)


def _check(arguments: argparse.Namespace) -> str:
    """Returns the format of the answers, after what can be wrong with them was looked at."""
    if arguments.ranking < 0:
        raise ConfigError(f"--ranking must be a number from 0, got {arguments.ranking}")
    out = arguments.out
    if out is None:
        if arguments.json and arguments.format == CSV:
            raise ConfigError("--json and --format csv contradict each other without --out")
        return arguments.format or JSON_LINES
    prepare_file("--out", out, arguments.messages)
    return arguments.format or (CSV if out.suffix.lower() == ".csv" else JSON_LINES)


def _answer_all(
    arguments: argparse.Namespace,
    file: MessageFile,
    format_name: str,
    n_messages: Optional[int],
    ask: Callable[[Any], Any],
    screen: Screen,
) -> Dict[str, Any]:
    """Writes all answers and returns what is to be said of them."""
    on_terminal = arguments.out is None and sys.stdout.isatty()

    def keep(parse: Mapping[str, Any]) -> Row:
        return dict(parse) if format_name == RASA else row_of(parse, arguments.ranking)

    to_json = shown_json if arguments.out is None else json_text
    head, line_of = writer_of(format_name, arguments.ranking, to_json)
    pairs: Iterable[Tuple[Message, Row]] = answered(file.read(), ask, keep, arguments.batch_size)
    if not on_terminal:  # a bar would run through the answers
        pairs = screen.progress(pairs, "Parsing", total=n_messages)
    start, n_answered, n_fallbacks = time.perf_counter(), 0, 0
    with _sink(arguments.out) as sink:
        sink.write(head)
        for message, row in pairs:
            line = line_of(message, row)
            sink.write(printable(line[:-1]) + "\n" if on_terminal else line)
            n_answered += 1
            n_fallbacks += _intent(row) == FALLBACK
        sink.flush()
    seconds = time.perf_counter() - start
    return {
        "messages": n_answered,
        "fallbacks": n_fallbacks,
        "seconds": round(seconds, 3),
        "messages_per_second": round(n_answered / max(seconds, 1e-9), 1),
    }


def _intent(row: Row) -> Any:
    intent = row.get("intent")
    return intent.get("name") if isinstance(intent, dict) else intent


def _sink(out: Optional[Path]) -> ContextManager[TextIO]:
    return contextlib.nullcontext(sys.stdout) if out is None else whole_file(out, "--out")


def _show(summary: Dict[str, Any], out: Optional[Path], screen: Screen) -> None:
    n_messages, seconds = summary["messages"], summary["seconds"]
    speed = f"{seconds:,.1f} s, {summary['messages_per_second']:,.0f} a second"
    if out is None:
        screen.remark(f"{n_messages:,} messages in {speed}")
    elif screen.is_json:
        screen.json({**summary, "out": str(out)})
    else:
        share = summary["fallbacks"] / max(n_messages, 1)
        screen.pairs(
            [
                ("Messages", f"{n_messages:,}"),
                ("Fallbacks", f"{summary['fallbacks']:,} ({share:.1%})"),
                ("Time", f"{speed}, loading not counted"),
                ("Written to", str(out)),
            ]
        )
