"""One trial: a plan, adapted for some steps, measured on tasks it was not trained on."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np
import torch

from rasa_tokprune import __version__
from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.mash import draw_mash
from rasa_tokprune.commands.adapt.provenance import folder_of
from rasa_tokprune.commands.adapt.search.space import bucket_of, cost_by_bucket
from rasa_tokprune.commands.adapt.teachers import Targets
from rasa_tokprune.commands.adapt.training.loop import AdapterTraining
from rasa_tokprune.commands.adapt.training.settings import TrainingSettings
from rasa_tokprune.commands.adapt.training.student import Importance, Student, embed
from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.encoder.plans.cost import plan_cost
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import Messages, embed_names
from rasa_tokprune.fewshot.certificate import answers_of, fit_head
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.embeddings import EmbeddingStore, embed_texts
from rasa_tokprune.texts.files import hash_files
from rasa_tokprune.texts.tasks import read_examples, sample_shots

# Another version may train otherwise.
JOB = f"trial 2 of rasa-tokprune {__version__}"
_N_MASH = 4000

Embed = Callable[[Sequence[str]], np.ndarray]
# Rows that are learned from, rows that are answered.
_Split = Tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class TrialSetup:
    """What all trials of a search have in common, JSON values.

    Attributes:
        model: Folder or hub id.
        texts: Files of unlabelled messages.
        tasks: Name and file of labelled messages to train on.
        judges: Name and file of labelled messages to measure on, never trained on.
        sha256: Of all these files.
        concatenations: Long texts made of those to train on.
        rank: Of the change of each matrix.
        settings: Fields of `TrainingSettings`; each trial has its own steps, all of them with
            contrast where there are labels.
        n_shot: Examples per intent that are learned from.
        seeds: Each chooses other examples.
        most_messages: Of each judge, at most so many messages are answered.
        precision: Of the matrix products in training and measuring.
        num_threads: Of each trial.
    """

    model: str
    texts: Tuple[str, ...]
    tasks: Tuple[Tuple[str, str], ...]
    judges: Tuple[Tuple[str, str], ...]
    sha256: str
    concatenations: int
    rank: int
    settings: str
    n_shot: int
    seeds: Tuple[int, ...]
    most_messages: int
    precision: str
    num_threads: int


def run_trial(
    setup: Mapping[str, Any], plan: Mapping[str, Any], importance: str, steps: int
) -> Dict[str, Any]:
    """Trains an adapter for a plan and measures it.

    Args:
        setup: Fields of a `TrialSetup`.
        plan: As of `PruningPlan.to_dict`.
        importance: What tokens are pruned by; see `Importance`.
        steps: Of training; 0 measures the plan as it is.

    Returns:
        Row with cost, accuracy and agreement with the un-pruned, un-adapted encoder, in [0, 1]:
        for each judge, for each bucket of lengths, and the mean over judges.
    """
    common = _prepare(json.dumps(setup, sort_keys=True))
    torch.set_num_threads(int(setup["num_threads"]))
    own = PruningPlan.from_dict(dict(plan))
    return common.run(own, Importance(importance), steps)


@functools.lru_cache(maxsize=1)
def _prepare(setup: str) -> _Common:
    values = json.loads(setup)
    for key in ("texts", "seeds"):
        values[key] = tuple(values[key])
    for key in ("tasks", "judges"):
        values[key] = tuple((name, path) for name, path in values[key])
    return _Common(TrialSetup(**values))


class _Common:
    """Everything trials share in one process: teacher, texts, judges."""

    def __init__(self, setup: TrialSetup) -> None:
        paths = [*setup.texts, *(path for _, path in (*setup.tasks, *setup.judges))]
        if hash_files(paths) != setup.sha256:
            raise ConfigError("the files here are not those where the search was started")
        torch.set_num_threads(setup.num_threads)
        self._setup = setup
        self._teacher = load_encoder(setup.model, backend="torch", num_threads=setup.num_threads)
        self._store = EmbeddingStore(stored_path("embeddings"))
        self._judges = [
            _Judge(name, Path(path), setup, self._teacher) for name, path in setup.judges
        ]
        self._reference = [judge.answer(self._teach) for judge in self._judges]

    def run(self, plan: PruningPlan, importance: Importance, steps: int) -> Dict[str, Any]:
        student = Student(
            folder_of(self._teacher),
            self._teacher.model.spec,
            plan,
            rank=self._setup.rank,
            seed=0,
            precision=Precision(self._setup.precision),
            importance=importance,
        )
        if steps:
            self._train(student, steps)
        embed_by = functools.partial(embed, student, self._teacher)
        rows = [self._measure(judge, embed_by, i) for i, judge in enumerate(self._judges)]
        lengths = [n for judge in self._judges for n in self._lengths(judge.texts)]
        spec = self._teacher.model.spec
        n_special = int(self._teacher.tokenize(["a"])[0].is_special.sum())
        return {
            "plan": plan.to_dict(),
            "fingerprint": plan.fingerprint(),
            "importance": importance.value,
            "steps": steps,
            "cost": float(np.mean([plan_cost(plan, n, n_special, spec.kv_share) for n in lengths])),
            "cost_by_length": cost_by_bucket(plan, lengths, n_special, spec.kv_share),
            "accuracy": float(np.mean([row["accuracy"] for row in rows])),
            "agreement": float(np.mean([row["agreement"] for row in rows])),
            "judges": {judge.name: row for judge, row in zip(self._judges, rows)},
        }

    def _train(self, student: Student, steps: int) -> None:
        train, held_out, mash, targets = self._corpora
        own, contrast = (0, steps) if train.tasks else (steps, 0)
        values = {**json.loads(self._setup.settings), "check_every": steps}
        values.update(steps=own, contrast_steps=contrast)
        settings = TrainingSettings(**values)
        AdapterTraining(student, self._teacher, targets, train, held_out, mash, settings).run()

    @functools.cached_property
    def _corpora(self) -> Tuple[Corpus, Corpus, List[str], Targets]:
        setup = self._setup
        tasks = {name: Path(path) for name, path in setup.tasks}
        corpus = Corpus.read([Path(path) for path in setup.texts], tasks)
        judged = {text for judge in self._judges for text in judge.texts}
        train, held_out = corpus.without(judged).split()
        train = train.with_concatenations(setup.concatenations, 0)
        mash = draw_mash(_N_MASH, 0)
        texts = [*train.texts, *held_out.texts, *mash]
        own = embed_texts(self._teacher, texts, self._store, None)
        return train, held_out, mash, Targets.of(own)

    def _measure(self, judge: _Judge, embed_by: Embed, number: int) -> Dict[str, Any]:
        """Compares a student's answers with the right ones and with the un-pruned encoder's."""
        buckets = np.array([bucket_of(n) for n in self._lengths(judge.texts)])
        right: List[np.ndarray] = []
        same: List[np.ndarray] = []
        where: List[np.ndarray] = []
        for (rows, own), (_, other) in zip(judge.answer(embed_by), self._reference[number]):
            right.append(own == judge.labels[rows])
            same.append(own == other)
            where.append(buckets[rows])
        all_right, all_same, places = map(np.concatenate, (right, same, where))
        return {
            "accuracy": float(all_right.mean()),
            "agreement": float(all_same.mean()),
            "by_length": {
                str(bucket): {
                    "messages": int((places == bucket).sum()),
                    "accuracy": float(all_right[places == bucket].mean()),
                    "agreement": float(all_same[places == bucket].mean()),
                }
                for bucket in np.unique(places)
            },
        }

    def _teach(self, texts: Sequence[str]) -> np.ndarray:
        found = embed_texts(self._teacher, texts, self._store, None)
        return np.stack([found[text] for text in texts])

    def _lengths(self, texts: Sequence[str]) -> List[int]:
        return [len(tokens) for tokens in self._teacher.tokenize(texts)]


class _Judge:
    """A labelled task; some of it is learned from, the rest answered."""

    def __init__(self, name: str, path: Path, setup: TrialSetup, encoder: Encoder) -> None:
        texts, labels, _ = read_examples(path)
        self.name = name
        chosen: List[_Split] = []
        for seed in setup.seeds:
            learned = sample_shots(labels, setup.n_shot, seed)
            rest = np.setdiff1d(np.arange(len(labels)), learned)
            answered = np.random.default_rng(seed).permutation(rest)[: setup.most_messages]
            chosen.append((learned, np.sort(answered)))
        # Only what some seed uses is encoded.
        used = np.unique(np.concatenate([rows for split in chosen for rows in split]))
        self.texts = [texts[row] for row in used]
        self.labels = np.array(labels)[used]
        self._readable = encoder.readable_shares(self.texts)
        self._splits = [
            (np.searchsorted(used, learned), np.searchsorted(used, answered))
            for learned, answered in chosen
        ]

    def answer(self, embed: Embed) -> List[Tuple[np.ndarray, np.ndarray]]:
        """Returns rows and answers of the messages, for each seed."""
        messages = Messages(embed(self.texts), self.texts, self._readable)
        names = embed_names(sorted(set(self.labels.tolist())), embed)
        found = []
        for learned, answered in self._splits:
            views, classes = fit_head(
                messages.take(learned), self.labels[learned].tolist(), None, names
            )
            answers = answers_of(views, classes, messages.take(answered))
            found.append((answered, np.array(answers)))
        return found
