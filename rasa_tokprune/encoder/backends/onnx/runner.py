"""Runs sentences through ONNX Runtime."""

from __future__ import annotations

import dataclasses
import os
import threading
import weakref
from pathlib import Path
from typing import Any, ClassVar, Dict, List, Optional

import numpy as np

from rasa_tokprune.encoder.adapters.weight_source import WeightSource
from rasa_tokprune.encoder.backends.batch import NEVER_PRUNED, ForwardResult, PackedTokens
from rasa_tokprune.encoder.backends.onnx.session import open_session
from rasa_tokprune.encoder.backends.sentence_runner import SentenceRunner
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.encoder.plans.plan import PruningPlan, ThresholdKind, quantile_count

_MAX_SESSIONS = 8


class _Forks:
    """Keeps forked children off sessions whose threads stayed with the parent."""

    runners: ClassVar[weakref.WeakSet[OnnxRunner]] = weakref.WeakSet()
    # Destroying such a session would wait for its threads forever.
    abandoned: ClassVar[List[Any]] = []
    is_watching = False

    @classmethod
    def watch(cls, runner: OnnxRunner) -> None:
        """Lets a runner of this process be emptied in its children."""
        cls.runners.add(runner)
        if not cls.is_watching and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=cls.after_fork)
        cls.is_watching = True

    @classmethod
    def after_fork(cls) -> None:
        """Empties all runners."""
        for runner in cls.runners:
            cls.abandoned.extend(runner.forget_sessions())


class OnnxRunner(SentenceRunner):
    """A model as ONNX Runtime sessions, one for each plan and one for what it leaves alone."""

    def __init__(
        self,
        source: WeightSource,
        precision: Precision,
        num_threads: int,
        sentence_threads: int,
    ) -> None:
        """Maps the embedding tables; sessions are opened when first used.

        Args:
            source: The weights; graphs are stored under its identity.
            precision: FP32 or INT8.
            num_threads: Sentences encoded at a time.
            sentence_threads: Threads for each of them.

        Raises:
            CheckpointError: If files are missing or damaged.
        """
        super().__init__(source, num_threads)
        self._source, self._precision = source, precision
        self._sentence_threads = sentence_threads
        self._sessions: Dict[str, Any] = {}
        self._lock = threading.Lock()
        _Forks.watch(self)

    def prepare(self, plan: PruningPlan, folder: Optional[Path] = None) -> None:
        """Opens the sessions that `plan` needs; see `Runner`."""
        if folder is not None:
            self._source = dataclasses.replace(self._source, folder=folder)
        if not plan.prunes(1):
            self._session(plan, prunes=False)
        if plan.pruned_layers:
            self._session(plan, prunes=True)

    def encode_sentence(
        self,
        tokens: PackedTokens,
        bias: Optional[np.ndarray],
        plan: PruningPlan,
        *,
        needs_states: bool,
        n_threads: int,
    ) -> ForwardResult:
        """Encodes one sentence; see `SentenceRunner`."""
        n_tokens = len(tokens.ids)
        embeddings = self._words[tokens.ids] + self._positions[tokens.position_ids]
        inputs = {"embeddings": embeddings}
        if bias is not None:
            inputs["bias"] = bias
        if not plan.prunes(n_tokens):
            (states,) = self._session(plan, prunes=False).run(None, inputs)
            return ForwardResult(states, np.full(n_tokens, NEVER_PRUNED))
        inputs.update(_pruning_inputs(plan, tokens.is_protected))
        outputs = self._session(plan, prunes=True).run(["states", "places_out", "sizes"], inputs)
        return _in_order(plan, *outputs)

    def _session(self, plan: PruningPlan, prunes: bool) -> Any:
        graph_plan = plan.at_any_length if prunes else plan.without_pruning
        key = graph_plan.fingerprint()
        session = self._sessions.get(key)
        if session is not None:
            return session
        with self._lock:
            if key not in self._sessions:
                if len(self._sessions) >= _MAX_SESSIONS:  # somebody tries many plans
                    del self._sessions[next(iter(self._sessions))]
                self._sessions[key] = open_session(
                    self._source,
                    graph_plan,
                    self._precision,
                    self._sentence_threads,
                )
            return self._sessions[key]

    def forget_sessions(self) -> List[Any]:
        """Returns all sessions and holds none."""
        sessions = list(self._sessions.values())
        self._sessions = {}
        self._lock = threading.Lock()  # another thread may have held the old one
        return sessions


def _pruning_inputs(plan: PruningPlan, is_protected: np.ndarray) -> Dict[str, np.ndarray]:
    n_tokens = len(is_protected)
    n_protected = int(is_protected.sum())
    inputs = {
        "places": np.arange(n_tokens),
        "protection": np.where(is_protected, np.float32(np.inf), np.float32(0)),
    }
    if plan.kind is ThresholdKind.ABSOLUTE:
        return {**inputs, "least": np.array([n_protected + 1])}
    n_content = n_tokens - n_protected
    for index in plan.pruned_layers:
        n_pruned = quantile_count(plan.thresholds[index], n_content)
        n_content -= n_pruned
        kept = n_protected + n_content
        inputs[f"kept_{index}"] = np.array([kept])
        inputs[f"counts_{index}"] = np.array([kept, n_pruned])
    return inputs


def _in_order(
    plan: PruningPlan, states: np.ndarray, places: np.ndarray, sizes: np.ndarray
) -> ForwardResult:
    """Puts rows back into the sentence's order."""
    ordered, pruned_after = np.empty_like(states), np.empty_like(places)
    ordered[places] = states
    layers = np.array([NEVER_PRUNED, *reversed(plan.pruned_layers)])
    n_pruned = sizes[::-1]
    pruned_after[places] = np.repeat(layers, [len(places) - n_pruned.sum(), *n_pruned])
    return ForwardResult(ordered, pruned_after)
