"""The command line of `rasa-tokprune certify`: reads, compares, shows, exit code."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from rasa_tokprune.commands.arguments import lexical_weight_of, target_rejection_of
from rasa_tokprune.commands.certify.answers import JOB, Bot, Decides, answer, describe
from rasa_tokprune.commands.output import json_text, prepare_file, write_text
from rasa_tokprune.commands.screen import Cell, Screen, styled
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.calibration.confidence import DEFAULT_TARGET_REJECTION
from rasa_tokprune.fewshot.certificate import (
    Certificate,
    Outcome,
    check_limit,
    count_flips,
    least_messages,
    take_plan,
)
from rasa_tokprune.fewshot.certificate.bound import CONFIDENCE
from rasa_tokprune.jobs.run import check_scheduler, run_jobs, threads_of_job
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.lines import read_lines

# Messages in a job: seconds of work, so that little is lost with a worker.
_CHUNK = 2000

_Outcomes = List[Optional[Outcome]]


def run(arguments: argparse.Namespace) -> int:
    """Certifies, shows a line for each plan; returns 1 if not even the first plan may be used.

    Raises:
        TokPruneError: If the input is wrong.
    """
    screen = Screen.of(arguments)
    check_limit(arguments.max_flip_rate)
    check_scheduler(arguments.scheduler)
    for option, path in (("--out", arguments.out), ("--answers", arguments.answers)):
        prepare_file(option, path, arguments.train, arguments.log)
    if arguments.answers is not None and arguments.log is None:
        raise ConfigError("--answers needs --log: the messages to answer")
    log = [] if arguments.log is None else read_lines(arguments.log)
    if arguments.log is not None and not log:
        raise ConfigError(f"--log: '{arguments.log}' holds no message; give one a line")
    with screen.working("Loading the models"):
        bots = _bots(arguments)
    found = _outcomes(bots, log, arguments, screen)
    names = list(dict.fromkeys(arguments.prune))
    on_training, on_log = (
        _compare(names, [each[part] for each in found], arguments.max_flip_rate) for part in (0, 1)
    )
    certificates = on_log if log else on_training
    taken = take_plan(certificates)
    _show(screen, certificates, on_training if log else None, taken)
    if arguments.out is not None:
        _write(arguments.out, certificates, on_training, taken)
    if arguments.answers is not None:
        _write_answers(arguments.answers, log, [OFF, *names], [each[1] for each in found])
    return 0 if taken is not None else 1


def _show(
    screen: Screen,
    certificates: List[Certificate],
    on_training: Optional[List[Certificate]],
    taken: Optional[Certificate],
) -> None:
    """Shows what was counted for each plan.

    Args:
        screen: Where.
        certificates: Of the messages that decide.
        on_training: Of the training messages where a log decides: those are no messages to come.
        taken: The plan that may be used, if any.
    """
    others: Sequence[Optional[Certificate]] = on_training or [None] * len(certificates)
    if screen.is_json:
        for own, other in zip(certificates, others):
            counted = None if other is None else other.to_dict()
            screen.json({**own.to_dict(), "is_certified": taken is own, "on_training": counted})
        return
    columns = ["plan", "changed", "at most", "limit", "", "other intent"]
    rows: List[List[Cell]] = []
    for own, other in zip(certificates, others):
        verdict = styled("within", "good") if own.holds else styled("over", "bad")
        changed = f"{own.n_flips} of {own.n_messages}"
        rates = (f"{own.bound:.2%}", f"{own.max_flip_rate:.2%}")
        rows.append([own.plan, changed, *rates, verdict, str(own.n_other_intents)])
        if other is not None:
            rows[-1].append(f"{other.n_flips} of {other.n_messages}")
    screen.table([*columns, "out of fold"] if on_training else columns, rows)
    about = f"changed: actions; at most: with {CONFIDENCE:.0%} confidence"
    fold = "; out of fold: actions on the training messages" if on_training else ""
    screen.line(about + fold, meaning="faint")
    screen.line(_verdict(taken, certificates), meaning="bad" if taken is None else "good")


def _bots(arguments: argparse.Namespace) -> List[Bot]:
    """Returns the un-pruned bot and one for each plan."""
    plans = list(dict.fromkeys(arguments.prune))
    settings = {key: getattr(arguments, key) for key in ("model", "precision", "backend")}
    settings["num_threads"] = threads_of_job(arguments.scheduler)
    share = target_rejection_of(arguments)
    decides = Decides(
        not arguments.no_intent_names,
        lexical_weight_of(arguments),
        None if arguments.oos_intents is None else tuple(arguments.oos_intents),
        DEFAULT_TARGET_REJECTION if share is None else share,
    )
    # The reference is the original model, whatever adapter the plans bring.
    reference = describe(arguments.train, OFF, OFF, settings, decides)
    return [
        reference,
        *(describe(arguments.train, p, arguments.adapter, settings, decides) for p in plans),
    ]


def _compare(
    names: Sequence[str], outcomes: Sequence[_Outcomes], limit: float
) -> List[Certificate]:
    return [count_flips(name, outcomes[0], own, limit) for name, own in zip(names, outcomes[1:])]


def _outcomes(
    bots: List[Bot], log: List[str], arguments: argparse.Namespace, screen: Screen
) -> List[Tuple[_Outcomes, _Outcomes]]:
    """Returns what each bot makes of its own messages, out of fold, and of the log's."""
    # A message that users send often counts as often, but is encoded once.
    texts = list(dict.fromkeys(log))
    jobs = [job for bot in bots for job in _jobs(bot, texts)]
    found = run_jobs(
        answer,
        jobs,
        name=JOB,
        scheduler=arguments.scheduler,
        results=arguments.results or stored_path("answers"),
        progress_name=screen.progress_name("Answering"),
    )
    per_bot = len(found) // len(bots)
    outcomes = []
    for start in range(0, len(found), per_bot):
        own, *chunks = (
            [None if fields is None else Outcome(*fields) for fields in result["outcomes"]]
            for result in found[start : start + per_bot]
        )
        of_text = dict(zip(texts, (outcome for chunk in chunks for outcome in chunk)))
        outcomes.append((own, [of_text[text] for text in log]))
    return outcomes


def _jobs(bot: Bot, texts: List[str]) -> Iterator[Dict[str, Any]]:
    fields = dataclasses.asdict(bot)
    yield {"bot": fields, "texts": None}
    for start in range(0, len(texts), _CHUNK):
        yield {"bot": fields, "texts": texts[start : start + _CHUNK]}


def _verdict(taken: Optional[Certificate], certificates: List[Certificate]) -> str:
    if taken is not None:
        return f"Certified: '{taken.plan}'."
    first = certificates[0]
    needed = least_messages(first.max_flip_rate)
    if first.n_messages < needed:
        return (
            f"Not certified: {first.n_messages} messages are too few for a limit of "
            f"{first.max_flip_rate:.2%}; it takes {needed} without a single change. Give more "
            f"with --log."
        )
    return "Not certified: keep prune: off, or give a plan that prunes less."


def _write(
    path: Path,
    certificates: List[Certificate],
    on_training: List[Certificate],
    taken: Optional[Certificate],
) -> None:
    content = {
        "certified": None if taken is None else taken.plan,
        "certificates": [certificate.to_dict() for certificate in certificates],
        "training_messages": [
            {
                "plan": each.plan,
                "n_messages": each.n_messages,
                "n_flips": each.n_flips,
                "n_other_intents": each.n_other_intents,
            }
            for each in on_training
        ],
    }
    write_text(json.dumps(content, indent=1) + "\n", path, "--out")


def _write_answers(path: Path, log: List[str], names: List[str], outcomes: List[_Outcomes]) -> None:
    """Writes top intent and action for every message, by plan; one JSON object a line.

    Both are null for a message without content.
    """
    lines = []
    for text, *own in zip(log, *outcomes):
        by_plan = dict(zip(names, own))
        row = {
            "text": text,
            "intents": {plan: found and found.intent for plan, found in by_plan.items()},
            "actions": {plan: found and found.action for plan, found in by_plan.items()},
        }
        lines.append(json_text(row) + "\n")
    write_text("".join(lines), path, "--answers")
