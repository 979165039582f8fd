"""The encoders an evaluation compares: models times pruning plans."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import List, Optional, Sequence

from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder, shipped_plans
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.default_plan import default_plan
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.errors import ConfigError, did_you_mean


@dataclasses.dataclass(frozen=True)
class EncoderChoice:
    """An encoder to evaluate.

    Attributes:
        model: Folder or hub id.
        prune: A plan as the user names it; None does what the components do without the key.
        precision: As for `load_encoder`.
        backend: As for `load_encoder`.
        adapter: As for `load_encoder`.
    """

    model: str
    prune: Optional[str]
    precision: str
    backend: str
    adapter: str = AUTO

    @property
    def model_name(self) -> str:
        """Name in results: the last part of a folder or hub id."""
        path = Path(self.model).expanduser()
        return path.resolve().name if path.is_dir() else self.model.rsplit("/", 1)[-1]

    @property
    def plan_name(self) -> Optional[str]:
        """Name in results, of a plan file without folder and ending; None if none is named."""
        if self.prune is not None and self.prune.endswith(".json"):
            return Path(self.prune).stem
        return self.prune

    @property
    def adapter_suffix(self) -> str:
        """What is said behind the plan's name if the adapter is not the plan's own."""
        return "" if self.adapter == AUTO else f", adapter {Path(self.adapter).stem}"

    def open(self, num_threads: Optional[int] = None) -> Encoder:
        """Returns the encoder; models that are open already are shared.

        Args:
            num_threads: None takes all cores.

        Raises:
            TokPruneError: If there is no such model or plan.
        """
        plan: str | PruningPlan | None = self.prune
        if plan is None:
            folder = find_checkpoint(self.model)
            plan = default_plan(folder, EncoderSpec.from_folder(folder))
        return load_encoder(
            self.model,
            prune=plan,
            adapter=self.adapter,
            precision=self.precision,
            backend=self.backend,
            num_threads=num_threads,
        )


def choose_encoders(
    models: Sequence[str],
    prunes: Sequence[str],
    *,
    precision: str,
    backend: str,
    adapter: str = AUTO,
) -> List[EncoderChoice]:
    """Returns every model with every plan, after a look whether they exist.

    Args:
        models: Folders or hub ids; empty is the components' default.
        prunes: Plans; empty is what the components do without the key.
        precision: As for `load_encoder`.
        backend: As for `load_encoder`.
        adapter: As for `load_encoder`, with every plan.

    Raises:
        CheckpointError: If there is no such model.
        ConfigError: If there is no such plan, or two would have one name in the results.
    """
    for prune in dict.fromkeys(prunes):
        _check_plan(prune)
    plans: Sequence[Optional[str]] = list(dict.fromkeys(prunes)) or [None]
    names = list(dict.fromkeys(models)) or [DEFAULT_MODEL]
    choices = [
        EncoderChoice(model, prune, precision, backend, adapter)
        for model in names
        for prune in plans
    ]
    seen = set()
    for choice in choices:
        label = (choice.model_name, choice.plan_name)
        if label in seen:
            raise ConfigError(
                f"--models, --prune: two of them would be called '{label[0]}', '{label[1]}' in the "
                f"results; rename a folder or file"
            )
        seen.add(label)
    for model in names:
        find_checkpoint(model)
    return choices


def _check_plan(prune: str) -> None:
    if prune.endswith(".json"):
        try:
            PruningPlan.load(Path(prune).expanduser())
        except ConfigError as error:
            raise ConfigError(f"--prune: {error}") from error
    elif prune not in (valid := [OFF, *shipped_plans()]):
        raise ConfigError(
            f"--prune: no plan '{prune}'.{did_you_mean(prune, valid)} "
            f"Shipped plans: {', '.join(valid)}; or give a plan file ending in .json"
        )
