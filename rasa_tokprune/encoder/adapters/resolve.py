"""Finds adapters: the one a plan was made with, a shipped one by name, or a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, Optional, Union

from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.plan import ADAPTER_SUFFIX, PruningPlan
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.machine.checksums import check_shipped

_FOLDER = Path(__file__).resolve().parent / "shipped"
_CARD = _FOLDER.parent / "README.md"
_LOCAL_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")


def shipped_adapters() -> List[str]:
    """Returns the names of the adapters in the package."""
    return sorted(path.stem for path in _FOLDER.glob(f"*{ADAPTER_SUFFIX}"))


def shipped_card(adapter: Adapter) -> Optional[str]:
    """Returns the model card of an adapter in the package, with its attributions; None of others.

    Links to files of the repository are left out.
    """
    if adapter.name not in shipped_adapters():
        return None
    if Adapter.load(_FOLDER / f"{adapter.name}{ADAPTER_SUFFIX}").identity != adapter.identity:
        return None
    return _LOCAL_LINK.sub(r"\1", _CARD.read_text(encoding="utf-8"))


def resolve_adapter(adapter: Union[str, Path, Adapter], plan: PruningPlan) -> Optional[Adapter]:
    """Returns the adapter a user asked for; None for the original weights.

    Args:
        adapter: 'auto' (what `plan` was made with), 'off', a shipped adapter's name, a path ending
            in .safetensors, or an adapter.
        plan: The plan it will run with.

    Raises:
        ConfigError: If there is no such adapter, it cannot be read, or one of the package is not
            the file that was published.
    """
    if isinstance(adapter, Adapter):
        return adapter
    name = str(adapter)
    if name == AUTO:
        name = plan.adapter or OFF
    if name == OFF:
        return None
    if name.endswith(ADAPTER_SUFFIX):
        return Adapter.load(Path(name).expanduser())
    if name not in shipped_adapters():
        valid = [AUTO, OFF, *shipped_adapters()]
        raise ConfigError(
            f"adapter: no adapter '{name}'.{did_you_mean(name, valid)} Valid names: "
            f"{', '.join(valid)}; or give an adapter file ending in {ADAPTER_SUFFIX}"
        )
    path = _FOLDER / f"{name}{ADAPTER_SUFFIX}"
    check_shipped(path)
    return Adapter.load(path)
