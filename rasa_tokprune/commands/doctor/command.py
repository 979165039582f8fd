"""The command line of `rasa-tokprune doctor`: looks, shows, exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

from rasa_tokprune.commands.doctor.bot import CONFIG, DATA, Bot, read_bot
from rasa_tokprune.commands.doctor.case import Case, Check
from rasa_tokprune.commands.doctor.checks import (
    caches,
    data,
    fallback,
    installation,
    keys,
    labels,
    libraries,
    machine,
    model,
    pipeline,
    rasa_validation,
    settings,
    threads,
    timing,
)
from rasa_tokprune.commands.doctor.findings import Finding, Level
from rasa_tokprune.commands.doctor.show import in_order, show, worst
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.extras import is_installed
from rasa_tokprune.machine.stored import nothing_stored

_FOLDER_OF_DOMAIN = ("domain.yml", "domain")
_CHECKS: Tuple[Check, ...] = (
    installation.check_python, installation.check_rasa, installation.check_package,
    libraries.check_libraries, libraries.check_extras,
    machine.check_processor, machine.check_builds,
    threads.check_cores, threads.check_workers, threads.check_variables,
    caches.check_caches, caches.check_temporary, caches.check_bot_folder,
    data.check_data,
)  # fmt: skip
_OF_A_BOT: Tuple[Check, ...] = (
    settings.check_settings, settings.check_language, settings.check_named_intents,
    keys.check_names, keys.check_keys,
    pipeline.check_order, pipeline.check_classifiers, pipeline.check_encoders,
    pipeline.check_servers, fallback.check_fallback, fallback.check_handled,
    data.check_counts, data.check_repeated, data.check_names, data.check_domain,
    data.check_responses,
)  # fmt: skip
_WITH_ENCODER: Tuple[Check, ...] = (
    model.check_models, labels.check_readable, labels.check_labels, labels.check_swapped,
)  # fmt: skip
# Rasa's process is waited for before anything is timed.
_LAST: Tuple[Check, ...] = (rasa_validation.check_rasa, timing.check_memory)


def run(arguments: argparse.Namespace) -> int:
    """Looks and shows; returns 1 if there is an error or, with `--strict`, a warning.

    Raises:
        ConfigError: If a file or folder that is named is not there.
    """
    screen = Screen.of(arguments)
    paths = _paths(arguments)
    with contextlib.ExitStack() as stack:
        stack.enter_context(nothing_stored())
        stack.enter_context(_no_bytecode())
        if paths is not None:
            stack.enter_context(_inside(paths.folder))
        findings = in_order(_look(arguments, paths, screen))
    show(findings, screen, shows_all=arguments.all)
    limits = (Level.WARNING, Level.ERROR) if arguments.strict else (Level.ERROR,)
    return int(worst(findings) in limits)


class _Paths:
    """Where a bot's files are: its folder, the others as seen from there."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        folder: Path = arguments.bot if arguments.bot is not None else Path()
        if not folder.is_dir():
            raise ConfigError(
                f"BOT: '{folder}' is no folder; give the folder with the bot's {CONFIG}"
            )
        self.folder = folder.resolve()
        self.config = _named("--config", arguments.config) or _existing(self.folder, CONFIG)
        self.domain = _named("--domain", arguments.domain) or _existing(
            self.folder, *_FOLDER_OF_DOMAIN
        )
        given = [_named("--data", path) for path in arguments.data or []]
        self.data: List[Path] = [path for path in given if path is not None] or self._default_data()

    def relative(self, path: Optional[Path]) -> Optional[Path]:
        """Returns a path as seen from the bot's folder, which the checks run in."""
        if path is None or not path.is_relative_to(self.folder):
            return path
        return path.relative_to(self.folder)

    def _default_data(self) -> List[Path]:
        if (self.folder / DATA).is_dir():
            return [self.folder / DATA]
        others = {self.config, self.domain}
        return [path for path in sorted(self.folder.glob("*.y*ml")) if path not in others]


def _paths(arguments: argparse.Namespace) -> Optional[_Paths]:
    """Returns where the bot is; None if there is none to look at."""
    is_named = any((arguments.bot, arguments.config, arguments.domain, arguments.data))
    return _Paths(arguments) if is_named or Path(CONFIG).is_file() else None


def _named(option: str, path: Optional[Path]) -> Optional[Path]:
    if path is not None and not path.exists():
        raise ConfigError(f"{option}: '{path}' is not there")
    return None if path is None else path.resolve()


def _existing(folder: Path, *names: str) -> Optional[Path]:
    return next((folder / name for name in names if (folder / name).exists()), None)


def _look(arguments: argparse.Namespace, paths: Optional[_Paths], screen: Screen) -> List[Finding]:
    """Returns what all checks found."""
    case = Case(Bot(), has_bot=paths is not None, is_fast=arguments.fast)
    timed = () if arguments.no_timing else (timing.check_times,)
    checks = (*_CHECKS, *_WITH_ENCODER, *timed)
    if paths is not None:
        config, domain = paths.relative(paths.config), paths.relative(paths.domain)
        files = [path for path in map(paths.relative, paths.data) if path is not None]
        if config is not None and not arguments.fast and is_installed("rasa"):
            case.rasa = rasa_validation.ask_rasa(config, domain, files, case)
        case.bot = read_bot(config, domain, files)
        checks = (*_CHECKS, *_OF_A_BOT, *_WITH_ENCODER, *_LAST, *timed)
    found: List[Finding] = []
    for check in screen.progress(checks, "Looking", delay=2):
        found += run_check(check, case)
    return found


def run_check(check: Check, case: Case) -> Iterator[Finding]:
    """Yields what a check finds; that it broke is a finding too."""
    try:
        yield from check(case)
    except Exception as error:  # one check must not keep the others from speaking
        name = f"{check.__module__.rpartition('.')[2]}.{check.__name__}"
        reason = " ".join(str(error).split()) or "no reason given"
        yield Finding(
            "check-failed",
            f"the check {name} broke: {type(error).__name__}: {reason}",
            "The other checks went on; please report this line",
        )


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Goes to the bot's folder, as one does to run rasa, and back."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _no_bytecode() -> Iterator[None]:
    """Keeps Python from writing what it compiles."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
