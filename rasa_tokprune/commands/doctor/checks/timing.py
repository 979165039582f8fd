"""Ten messages of the bot, encoded one at a time; memory of a server."""

from __future__ import annotations

from typing import Iterator, List

import numpy as np

from rasa_tokprune.commands.bench.timing import time_in_turn
from rasa_tokprune.commands.doctor.case import Case
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.machine.limits import available_memory, memory_limit
from rasa_tokprune.machine.threads import available_threads, n_server_workers

_N_MESSAGES = 10
# Each message is timed so often; the least disturbed time counts.
_ROUNDS = 5
# Of a bot without messages.
_EXAMPLES = (
    "hello", "thank you", "where is my parcel", "I want my money back", "what do you cost",
    "can I talk to somebody", "no, that is not what I meant", "please cancel my order from monday",
    "do you ship to Austria as well", "the lamp that I got yesterday does not turn on",
)  # fmt: skip
_MB = 1_000_000


def check_times(case: Case) -> Iterator[Finding]:
    """Yields how long the encoder takes for a message."""
    encoder = case.encoder
    if encoder is None:
        return
    texts = _texts(case)
    spent = time_in_turn([encoder], texts, _ROUNDS * len(texts))
    milliseconds = 1e3 * spent.reshape(_ROUNDS, len(texts)).min(axis=0)
    model = encoder.model
    build = f" ({model.build})" if model.build else ""
    whose = "messages of the bot" if case.bot.messages else "messages"
    yield Finding(
        "messages",
        f"{len(texts)} {whose} encoded one at a time: median "
        f"{np.median(milliseconds):.2f} ms, slowest {milliseconds.max():.2f} ms; "
        f"plan '{encoder.plan.name}', "
        f"{model.backend.value}{build} {model.precision.value}, "
        f"{available_threads()} threads at most",
    )


def check_memory(case: Case) -> Iterator[Finding]:
    """Yields what the workers of a server need in memory, where Rasa could be asked."""
    if not case.rasa_bytes:
        return
    workers = n_server_workers()
    needed = workers * case.rasa_bytes
    text = (
        f"Rasa with this pipeline's modules takes {case.rasa_bytes / _MB:.0f} MB before it loads a "
        f"model, times {workers} server worker{'' if workers == 1 else 's'}"
    )
    limits = [limit for limit in (memory_limit(), available_memory()) if limit is not None]
    if limits and needed > min(limits):
        yield Finding(
            "memory-low",
            f"{text}; there are {min(limits) / _MB:.0f} MB",
            "Give the container more memory, or set SANIC_WORKERS lower",
        )
    else:
        yield Finding("memory", text)


def _texts(case: Case) -> List[str]:
    """Returns ten different messages, spread over the bot's."""
    texts = sorted({each.example.text for each in case.bot.messages if each.example.text.strip()})
    if not texts:
        return list(_EXAMPLES)
    step = max(1, len(texts) // _N_MESSAGES)
    return texts[::step][:_N_MESSAGES]
