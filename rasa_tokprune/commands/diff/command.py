"""The command line of `rasa-tokprune diff`: asks both models, counts, shows, exit code."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Optional, TextIO, Tuple

from rasa_tokprune.commands.diff.arguments import GATES, option_of
from rasa_tokprune.commands.diff.log import Entry, Log, is_labelled_file, read_labelled, read_log
from rasa_tokprune.commands.diff.reading import Reading, reading_of
from rasa_tokprune.commands.diff.show import show
from rasa_tokprune.commands.diff.tally import Tally, gates_of
from rasa_tokprune.commands.output import json_text, prepare_file, whole_file
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.commands.trained_model.access import open_model
from rasa_tokprune.commands.trained_model.arguments import message_file
from rasa_tokprune.commands.trained_model.batches import answered
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.messages import Message

if TYPE_CHECKING:
    from rasa_tokprune.commands.trained_model.model import TrainedModel

_FAILED = 1


def run(arguments: argparse.Namespace) -> int:
    """Compares two models and shows what changed; returns 1 if more did than is allowed.

    Raises:
        TokPruneError: If the input is wrong.
    """
    screen = Screen.of(arguments)
    limits = _limits(arguments)
    log = _read(arguments, {kind for kind, _ in limits})
    prepare_file("--out", arguments.out, arguments.log)
    with contextlib.ExitStack() as opened:
        models = []
        with screen.working("Loading the models"):
            for option, path in (("OLD", arguments.old), ("NEW", arguments.new)):
                models.append(opened.enter_context(open_model(path, option)))
            for model in models:
                model.load()
        archives = [model.archive for model in models]
        if archives[0].resolve() == archives[1].resolve():
            screen.remark(f"OLD and NEW are the same model, '{archives[0]}': nothing can differ")
        file = None
        if arguments.out is not None:
            file = opened.enter_context(whole_file(arguments.out, "--out"))
        tally = _compare(log, models, arguments, screen, file)
        result = {
            "old": _about(models[0], arguments.threshold),
            "new": _about(models[1], arguments.threshold),
            **tally.to_dict(),
            "gates": gates_of(limits, tally, use_bound=arguments.bound),
        }
    if screen.is_json:
        screen.json(result)
    else:
        show(result, screen)
    return 0 if all(gate["passed"] for gate in result["gates"]) else _FAILED


def _limits(arguments: argparse.Namespace) -> List[Tuple[str, float]]:
    """Returns the kinds of change that are limited, with their limits."""
    limits = []
    for kind in GATES:
        limit: Optional[float] = getattr(arguments, f"max_{kind}")
        if limit is None:
            continue
        if not 0 <= limit <= 1:
            raise ConfigError(f"{option_of(kind)} must be a share in [0, 1], got {limit}")
        limits.append((kind, limit))
    if arguments.bound and not limits:
        raise ConfigError(f"--bound needs a limit, such as {option_of('action')} 0.02")
    if not 0 <= arguments.threshold <= 1:
        raise ConfigError(f"--threshold must be in [0, 1], got {arguments.threshold}")
    if arguments.examples < 0:
        raise ConfigError(f"--examples must be a number from 0, got {arguments.examples}")
    return limits


def _read(arguments: argparse.Namespace, limited: Iterable[str]) -> Log:
    if is_labelled_file(arguments.log):
        return read_labelled(Path(arguments.log))
    if "lost" in limited:
        raise ConfigError(
            f"{option_of('lost')} needs labelled messages: give Rasa NLU YAML as --log"
        )
    return read_log(message_file(arguments, arguments.log))


def _threshold(model: TrainedModel, threshold: float) -> Optional[float]:
    """Returns the confidence under which a model counts as falling back; None if it says itself."""
    return None if model.fallback_threshold is not None else threshold


def _about(model: TrainedModel, threshold: float) -> Dict[str, Any]:
    own = model.fallback_threshold
    by = f"no FallbackClassifier, confidence under {threshold:g} counts as a fallback"
    if own is not None:
        by = f"FallbackClassifier, threshold {own:g}"
    return {"model": str(model.archive), "model_id": model.model_id, "fallback": by}


def _compare(
    log: Log,
    models: List[TrainedModel],
    arguments: argparse.Namespace,
    screen: Screen,
    file: Optional[TextIO],
) -> Tally:
    """Returns what was counted, after every message went through both models."""
    tally = Tally(arguments.examples)
    # A text with two labels is two entries, and asked once.
    readings = _readings(log.entries, models, arguments)
    for entry, (old, new) in screen.progress(readings, "Comparing", total=len(log.entries)):
        changes = tally.add(entry, old, new)
        verdicts = {}
        if entry.label is not None:
            is_oos = entry.label in log.oos_labels
            verdicts = {
                f"is_{name}_right": reading.is_right(entry.label, is_fallback_right=is_oos)
                for name, reading in (("old", old), ("new", new))
            }
            tally.add_label(entry, **verdicts)
        if changes and file is not None:
            file.write(_line(entry, old, new, changes, verdicts))
    return tally


def _readings(
    entries: Iterable[Entry], models: List[TrainedModel], arguments: argparse.Namespace
) -> Iterator[Tuple[Entry, Tuple[Reading, Reading]]]:
    thresholds = [_threshold(model, arguments.threshold) for model in models]

    def ask(texts: List[str]) -> List[Tuple[Reading, ...]]:
        read = [
            [reading_of(parse, threshold) for parse in model.parse(texts)]
            for model, threshold in zip(models, thresholds)
        ]
        return list(zip(*read))

    messages = (Message(entry.text, entry) for entry in entries)
    for message, (old, new) in answered(messages, ask, tuple, arguments.batch_size):
        yield message.id, (old, new)


def _line(
    entry: Entry, old: Reading, new: Reading, changes: List[str], verdicts: Dict[str, bool]
) -> str:
    row = {
        "text": entry.text,
        "count": entry.count,
        "changed": changes,
        **({} if entry.label is None else {"label": entry.label, **verdicts}),
        "old": old.to_dict(),
        "new": new.to_dict(),
    }
    return json_text(row) + "\n"
