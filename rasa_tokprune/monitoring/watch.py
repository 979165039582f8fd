"""What a component tells of its work: nothing, unless metrics or spans were asked for."""

from __future__ import annotations

import copy
import dataclasses
import threading
import time
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from rasa_tokprune.encoder.backends.batch import (
    NEVER_PRUNED,
    ForwardResult,
    PackedTokens,
)
from rasa_tokprune.encoder.cache import CacheInfo
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.encoder.shared import SharedModel
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.monitoring.exposition import serve_once
from rasa_tokprune.monitoring.spans import DECIDE_SPAN, ENCODE_SPAN, annotate, span, tracer

Ranking = List[Tuple[str, float]]


class Watch:
    """Looks at nothing: what every component has until somebody asks for more."""

    def encoder(self, encoder: Encoder) -> Encoder:
        """Returns the encoder, or one like it whose forward passes are looked at."""
        return encoder

    def rankings(self, rankings: Iterable[Ranking]) -> Iterable[Ranking]:
        """Returns the rankings, which may be made only now, after a look at each."""
        return rankings

    def cache(self, encoder: Encoder) -> None:
        """Looks at how an encoder's cache has served since the last time."""

    def shadow(self, outcome: str) -> None:
        """Counts a message that was also answered un-pruned."""


def watch(component: str) -> Watch:
    """Returns what looks at a component that serves; starts the exposition of its process.

    Args:
        component: The component's class, as label and attribute.
    """
    is_counted = serve_once() is not None
    if not is_counted and tracer() is None:
        return Watch()
    return _OpenWatch(component, is_counted)


class _OpenWatch(Watch):
    """Counts and times a component; thread-safe. Holds no text, and no message is changed."""

    def __init__(self, component: str, is_counted: bool) -> None:
        self._component = component
        self._meters: Optional[Dict[str, Any]] = None
        if is_counted:
            from rasa_tokprune.monitoring.meters import meters

            self._meters = meters()
        self._lock = threading.Lock()
        self._last = CacheInfo(0, 0, 0, 0)

    def encoder(self, encoder: Encoder) -> Encoder:
        watched = copy.copy(encoder)
        watched.model = dataclasses.replace(
            encoder.model, runner=_WatchedRunner(encoder.model, self)
        )
        return watched

    def rankings(self, rankings: Iterable[Ranking]) -> Iterable[Ranking]:
        with span(DECIDE_SPAN) as opened:
            started = time.perf_counter()
            made = list(rankings)
            seconds = time.perf_counter() - started
            confidences = [ranking[0][1] if ranking else 0.0 for ranking in made]
            n_below = sum(each < OPERATING_CONFIDENCE for each in confidences)
            annotate(
                opened,
                DECIDE_SPAN,
                component=self._component,
                messages=len(made),
                below_operating_point=n_below,
            )
        if made:
            self._observe("rasa_tokprune_decide_seconds", [seconds / len(made)] * len(made))
            self._observe("rasa_tokprune_confidence", confidences)
            self._count("rasa_tokprune_messages", len(made))
            self._count("rasa_tokprune_below_operating_point", n_below)
        return made

    def cache(self, encoder: Encoder) -> None:
        with self._lock:
            last, self._last = self._last, encoder.cache_info()
            hits, misses = self._last.hits - last.hits, self._last.misses - last.misses
        self._count("rasa_tokprune_cache_hits", hits)
        self._count("rasa_tokprune_cache_misses", misses)

    def shadow(self, outcome: str) -> None:
        if self._meters is not None:
            self._meters["rasa_tokprune_shadow"].labels(outcome).inc()

    def encoded(self, opened: Any, seconds: float, n_texts: int, pruned_after: Any) -> None:
        """Counts a forward pass.

        Args:
            opened: The span it ran in, or None.
            seconds: How long it took.
            n_texts: How many texts it encoded.
            pruned_after: Of every token, see `ForwardResult`.
        """
        n_tokens, n_kept = len(pruned_after), int((pruned_after == NEVER_PRUNED).sum())
        annotate(
            opened,
            ENCODE_SPAN,
            component=self._component,
            texts=n_texts,
            tokens=n_tokens,
            tokens_kept=n_kept,
        )
        self._observe("rasa_tokprune_encode_seconds", [seconds])
        self._count("rasa_tokprune_tokens", n_tokens)
        self._count("rasa_tokprune_tokens_kept", n_kept)

    def _count(self, name: str, number: int) -> None:
        if self._meters is not None:
            self._meters[name].labels(self._component).inc(number)

    def _observe(self, name: str, values: Sequence[float]) -> None:
        if self._meters is not None:
            histogram = self._meters[name].labels(self._component)
            for value in values:
                histogram.observe(value)


class _WatchedRunner:
    """A runner whose forward passes are looked at; the numbers are those of the other one."""

    def __init__(self, model: SharedModel, watch: _OpenWatch) -> None:
        # Whoever asks for the same model gets it as long as somebody holds it.
        self._model = model
        self._runner = model.runner
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def prepare(self, plan: PruningPlan, folder: Optional[Path] = None) -> None:
        self._runner.prepare(plan, folder)

    def run(
        self, tokens: PackedTokens, plan: PruningPlan, *, needs_states: bool = True
    ) -> ForwardResult:
        with span(ENCODE_SPAN) as opened:
            started = time.perf_counter()
            # Which tokens were pruned comes with the states.
            result = self._runner.run(tokens, plan, needs_states=True)
            seconds = time.perf_counter() - started
            self._watch.encoded(opened, seconds, len(tokens.lengths), result.pruned_after)
        return result
