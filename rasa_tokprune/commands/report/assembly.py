"""Measures a bot, part by part, and puts together what the page shows."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from rasa_tokprune import __version__
from rasa_tokprune.commands.evaluate.runs import FitSettings
from rasa_tokprune.commands.output import make_folder, prepare_file
from rasa_tokprune.commands.report.answers import Answer
from rasa_tokprune.commands.report.bot import Bot
from rasa_tokprune.commands.report.encoders import Setting, StoredEncoder
from rasa_tokprune.commands.report.material import LOG, TEST, TRAINING, read_material
from rasa_tokprune.commands.report.measures.changes import changes
from rasa_tokprune.commands.report.measures.confidence import measure_trust
from rasa_tokprune.commands.report.measures.differences import Differences
from rasa_tokprune.commands.report.measures.findings import Findings, find
from rasa_tokprune.commands.report.measures.messages import choose, look_into
from rasa_tokprune.commands.report.measures.plans import measure_plans
from rasa_tokprune.commands.report.measures.robustness import Kind, measure_robustness
from rasa_tokprune.commands.report.page import Page
from rasa_tokprune.commands.report.privacy import Shown
from rasa_tokprune.commands.report.second import Second, measure_differences, resolve_second
from rasa_tokprune.commands.report.summary import Measured, good_points, next_steps
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.fewshot import training_report
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.embeddings import EmbeddingStore

_HELD_OUT = "examples, each held out: answered by a bot that was trained without it"
_ON_TEST = "messages of the test file"


class Assembly:
    """Measures a bot, part by part; input is checked before anything takes long."""

    def __init__(self, arguments: argparse.Namespace, screen: Screen) -> None:
        self.screen, self._arguments = screen, arguments
        self.kinds = changes(arguments.polite)
        self.decides = FitSettings.of(arguments)
        self.material = read_material(
            arguments.nlu, arguments.test, arguments.log, arguments.oos_intents
        )
        keys = ("model", "prune", "adapter", "precision", "backend")
        self.setting = Setting(**{key: getattr(arguments, key) for key in keys})
        self.second: Optional[Second] = None
        if arguments.against is not None:
            self.second = resolve_second(arguments.against, self.setting)
        prepare_file("--out", arguments.out, arguments.nlu, arguments.test, arguments.log)
        if arguments.cache is not None:
            make_folder("--cache", arguments.cache)
        self._store = EmbeddingStore(arguments.cache or stored_path("embeddings"))
        self.settings, self.encoders, self.names = self._open_all()

    def _open_all(self) -> Tuple[List[Setting], List[StoredEncoder], List[str]]:
        """Opens the bot's encoder and one for each plan beside it; each plan once."""
        asked: Optional[Sequence[str]] = self._arguments.plans
        beside = self.setting.suitable_plans() if asked is None else asked
        settings, encoders, names = [], [], []
        for setting in (self.setting, *map(self.setting.with_plan, beside)):
            opened = setting.open()
            name = setting.shown_plan(opened)
            if name not in names:
                settings.append(setting)
                names.append(name)
                encoders.append(StoredEncoder(opened, self._store, self.screen, f"plan {name}"))
        return settings, encoders, names

    def page(self) -> Page:
        """Returns all that the page shows."""
        shown, material = Shown(self._arguments.texts), self.material
        bot = self._train(self.encoders[0])
        held_out = bot.held_out_answers()
        test, log = self._answers_to_others(bot)
        measured = self._measure(bot, held_out if material.test is None else test, test)
        chosen = [pair for pair in choose([*held_out, *test, *log]) if pair[1].source in shown]
        bar = self.screen.progress
        return Page(
            name=material.name,
            facts=self._facts(bot),
            good=good_points(measured),
            steps=next_steps(measured),
            source=_HELD_OUT if material.test is None else _ON_TEST,
            trust=measured.trust,
            plans=measured.plans,
            findings=_hide_findings(measured.findings, shown),
            robustness=_hide_flips(measured.robustness, shown),
            messages=look_into(bot, bar(chosen, "Looking into messages")),
            differences=_hide_differences(self._differences(bot), shown),
            n_layers=bot.encoder.encoder.plan.n_layers,
            about=self._about(bot),
            shown=shown,
        )

    def _measure(
        self, bot: Bot, labelled: Sequence[Answer], test_answers: Sequence[Answer]
    ) -> Measured:
        """Returns what the summary speaks of.

        Args:
            bot: The bot.
            labelled: Answers to the messages that it is judged by.
            test_answers: Answers to the test messages; may be empty.
        """
        self.screen.remark("Looking at the examples ...")
        training = training_report(bot.fitted, bot.support, bot.texts)
        is_held_out, oos = self.material.test is None, self.material.oos_labels
        trust = measure_trust(labelled, oos, training, is_held_out=is_held_out)
        plans = measure_plans(
            bot, self.material, self.settings, self.encoders, self.names, self.screen
        )
        self.screen.remark("Changing messages ...")
        robustness = measure_robustness(bot, labelled, self.kinds)
        return Measured(trust, plans, find(bot, training, test_answers), robustness, bool(oos))

    def _train(self, encoder: StoredEncoder) -> Bot:
        return Bot.train(self.material, encoder, self.decides, show_progress=not self.screen.quiet)

    def _answers_to_others(self, bot: Bot) -> Tuple[List[Answer], List[Answer]]:
        """Returns the answers to the test messages and to the different ones of the log."""
        test = self.material.test
        on_test = [] if test is None else bot.answers(test.texts, TEST, test.labels)
        return on_test, bot.answers(list(dict.fromkeys(self.material.log)), LOG)

    def _differences(self, bot: Bot) -> Optional[Differences]:
        if self.second is None:
            return None
        name = self.second.name
        return measure_differences(
            bot,
            self.second,
            self.material,
            lambda setting: self._train(
                StoredEncoder(setting.open(), self._store, self.screen, name)
            ),
            self.screen.progress,
        )

    def _facts(self, bot: Bot) -> List[str]:
        facts = [f"{len(bot.texts):,} examples", f"{len(bot.support.classes):,} intents"]
        if self.material.test is not None:
            facts.append(f"{len(self.material.test.texts):,} test messages")
        if self.material.log:
            facts.append(f"{len(self.material.log):,} messages of a log")
        return [*facts, f"plan {self.names[0]}"]

    def _about(self, bot: Bot) -> List[Tuple[str, str]]:
        encoder, machine = bot.encoder.encoder, environment()
        adapter = encoder.model.adapter
        return [
            ("Encoder", Path(self.setting.model).name),
            ("Plan", self.names[0]),
            ("Adapter", "none" if adapter is None else adapter.name),
            ("Backend", f"{encoder.model.backend.value}, {encoder.model.precision.value}"),
            ("Out-of-scope intents", ", ".join(self.material.oos_labels) or "none"),
            ("Processor", machine["cpu"]),
            ("rasa-tokprune", __version__),
            ("Made on", machine["date"]),
        ]


def _hide_findings(findings: Findings, shown: Shown) -> Findings:
    kinds = {kind: shown.entries(own, TRAINING) for kind, own in findings.kinds.items()}
    confused = shown.entries(findings.confused, TRAINING)
    return dataclasses.replace(findings, kinds=kinds, confused=confused)


def _hide_flips(kinds: Sequence[Kind], shown: Shown) -> List[Kind]:
    return [
        dataclasses.replace(kind, flips=[flip for flip in kind.flips if flip["source"] in shown])
        for kind in kinds
    ]


def _hide_differences(found: Optional[Differences], shown: Shown) -> Optional[Differences]:
    return found and dataclasses.replace(found, rows=shown.entries(found.rows))
