"""Which messages the page shows; the others are left out before anything is written."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from rasa_tokprune.commands.report.arguments import ALL, NONE, TRAINING

# Keys whose values are messages, or parts of them, in entries of findings and of rows.
_TEXT_KEYS = ("text", "other_text", "example", "example_of_predicted", "changed")


class Shown:
    """Which messages may be shown."""

    def __init__(self, texts: str) -> None:
        """Takes the value of `--texts`."""
        self.texts = texts

    def __contains__(self, source: str) -> bool:
        """Returns whether messages of a source are shown."""
        return self.texts == ALL or (self.texts == TRAINING and source == TRAINING)

    @property
    def any(self) -> bool:
        """Whether some messages are shown."""
        return self.texts != NONE

    def entry(self, entry: Mapping[str, Any], source: str) -> Dict[str, Any]:
        """Returns an entry; without its messages, None instead, if they are not shown."""
        if source in self:
            return dict(entry)
        return {key: None if key in _TEXT_KEYS else value for key, value in entry.items()}

    def entries(
        self, entries: Sequence[Mapping[str, Any]], source: str = ""
    ) -> List[Dict[str, Any]]:
        """Returns entries, see `entry`.

        Args:
            entries: Of one source, or each with its own `source`.
            source: Of all of them; '' goes by each one's.
        """
        return [self.entry(each, source or each["source"]) for each in entries]
