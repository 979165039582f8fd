"""Limits on what was measured, for continuous integration. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
from typing import List, Mapping, Sequence, Tuple

from rasa_tokprune.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Gate:
    """One limit the command line can set.

    Attributes:
        option: As the user writes it.
        measure: Key of the row it limits.
        is_minimum: True if smaller values violate it, False if larger ones do.
        needs_oos: Whether there is such a value only with out-of-scope messages.
        text: What it limits.
    """

    option: str
    measure: str
    is_minimum: bool
    needs_oos: bool
    text: str

    @property
    def key(self) -> str:
        """Name among parsed arguments."""
        return self.option.lstrip("-").replace("-", "_")

    def is_violated(self, value: float, limit: float) -> bool:
        """Returns whether a value lies on the wrong side of a limit; the limit itself is right."""
        return value < limit if self.is_minimum else value > limit


GATES = (
    Gate("--min-accuracy", "accuracy", True, False, "accuracy"),
    Gate("--min-macro-f1", "macro_f1", True, False, "macro F1"),
    Gate("--max-ece", "ece", False, False, "expected calibration error"),
    Gate("--min-oos-auroc", "oos_auroc", True, True, "area under the ROC, in against out of scope"),
    Gate("--min-oos-recall", "oos_recall", True, True, "share of out-of-scope messages rejected"),
    Gate("--max-in-scope-rejection", "in_scope_rejection", False, False,
         "share of in-scope messages rejected"),
)  # fmt: skip

# A gate and its limit, in [0, 1].
Limit = Tuple[Gate, float]


def check_limits(limits: Sequence[Limit], n_oos: Mapping[str, int]) -> None:
    """Checks gates against what will be measured, before anything is.

    Args:
        limits: Gates that are set.
        n_oos: Out-of-scope messages of each task.

    Raises:
        ConfigError: If a limit is outside [0, 1], or a task has no messages to measure it on.
    """
    for gate, limit in limits:
        if not 0 <= limit <= 1:
            raise ConfigError(f"{gate.option} must be in [0, 1], got {limit}; 0.9 means 90%")
        for task, count in n_oos.items():
            if gate.needs_oos and not count:
                raise ConfigError(
                    f"{gate.option} {limit}: task '{task}' has no out-of-scope message to measure "
                    f"it on; give an OOS file, or test messages with an out-of-scope intent"
                )


def violations(limits: Sequence[Limit], summaries: Sequence[Mapping]) -> List[str]:
    """Returns one line for every limit that a line of the table violates.

    Args:
        limits: Gates that are set.
        summaries: From `summarize`: means over the seeds.
    """
    several = len({(line["model"], line["plan"]) for line in summaries}) > 1
    return [
        f"gate {gate.option} {limit}: {line[gate.measure]:.3f} on {line['task']} "
        f"({_setting(line, several)})"
        for gate, limit in limits
        for line in summaries
        if gate.is_violated(line[gate.measure], limit)
    ]


def _setting(line: Mapping, several: bool) -> str:
    shots = f"{line['shots']} shots" if line["shots"] != "all" else "all examples"
    return f"{shots}, {line['model']}, {line['plan']}" if several else shots
