"""Arguments of `rasa-tokprune plans`. Imports nothing heavy."""

from __future__ import annotations

import argparse

from rasa_tokprune.commands.arguments import RESULTS, add_output


def add_plans(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = "Lists the shipped pruning plans: which tokens stop after which layer."
    add_output(parser.add_argument_group(RESULTS), "each plan, as a plan file has it")
