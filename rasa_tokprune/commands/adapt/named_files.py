"""NAME=FILE, as tasks and judges are given, or a folder of such files."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Sequence, Tuple

from rasa_tokprune.errors import ConfigError, did_you_mean

Named = Tuple[Tuple[str, str], ...]


def named_files(option: str, given: Sequence[str]) -> Named:
    """Returns name and absolute path of each NAME=FILE; of a folder, of each YAML file in it.

    Raises:
        ConfigError: If one is written otherwise, or a name stands twice.
    """
    found: Dict[str, str] = {}
    for entry in given:
        name, _, path = entry.partition("=")
        folder = Path(entry).expanduser()
        if folder.is_dir():
            pairs = {each.stem: str(each.resolve()) for each in sorted(folder.glob("*.yml"))}
        else:
            pairs = {name: str(Path(path).expanduser().resolve())} if name and path else {}
        if not pairs or set(pairs) & set(found):
            raise ConfigError(
                f"{option} must be NAME=FILE or a folder of *.yml, each name once; got '{entry}'"
            )
        found.update(pairs)
    return tuple(found.items())


def without_named(option: str, tasks: Named, names: Sequence[str]) -> Named:
    """Returns tasks but for those of some names.

    Raises:
        ConfigError: If there is none of a name.
    """
    known = [name for name, _ in tasks]
    for name in names:
        if name not in known:
            raise ConfigError(f"{option}: no --task '{name}'.{did_you_mean(name, known)}")
    return tuple(task for task in tasks if task[0] not in names)
