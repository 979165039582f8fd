"""What prunes when the user does not say: the best shipped plan that suits the encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterable, Iterator, Tuple

from rasa_tokprune.encoder.adapters.resolve import resolve_adapter
from rasa_tokprune.encoder.checkpoint.find import checkpoint_identity
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.encoder.plans.resolve import shipped_plans
from rasa_tokprune.encoder.tokens import read_tokenizer

# What own settings change, and what encoders get for which there is no adapter.
UN_ADAPTED_PLAN = "gentle"
# Not `balanced`: on bots unlike those it was trained on it loses accuracy, see docs/adapters.md.
_BY_PREFERENCE = ("light", UN_ADAPTED_PLAN)


def default_plan(folder: Path, spec: EncoderSpec) -> PruningPlan:
    """Returns the plan for an encoder, as it is shipped.

    It is the same on every backend and at every length, also where pruning saves no time: an
    adapter that prunes some texts and not others would be two encoders, and prototypes made by
    one would meet messages read by the other.

    Args:
        folder: The checkpoint.
        spec: Its specification.
    """
    found = next(_made_for(folder, spec, _BY_PREFERENCE), None)
    return found[1] if found is not None else PruningPlan.identity(spec.n_layers)


def shipped_plans_for(folder: Path, spec: EncoderSpec) -> Dict[str, PruningPlan]:
    """Returns the shipped plans that were made for an encoder, by name; see `default_plan`."""
    return dict(_made_for(folder, spec, shipped_plans()))


def _made_for(
    folder: Path, spec: EncoderSpec, names: Iterable[str]
) -> Iterator[Tuple[str, PruningPlan]]:
    shipped = shipped_plans()
    for name in names:
        for plan in shipped.get(name, []):
            if suits(plan, folder, spec):
                yield name, plan


def suits(plan: PruningPlan, folder: Path, spec: EncoderSpec) -> bool:
    """Returns whether a shipped plan, with its adapter, was made for an encoder."""
    if plan.n_layers != spec.n_layers:
        return False
    adapter = resolve_adapter(AUTO, plan)
    if adapter is None:
        return True
    return adapter.encoder_identity == checkpoint_identity(folder, spec, read_tokenizer(folder))
