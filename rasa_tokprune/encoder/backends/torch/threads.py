"""torch's threads: one count for the whole process, and lost in a fork."""

from __future__ import annotations

import os

import structlog
import torch

logger = structlog.get_logger(__name__)


class _Process:
    """What this process knows of itself."""

    is_watched = False
    is_forked = False

    @classmethod
    def after_fork(cls) -> None:
        """Keeps a forked child off its parent's threads: it would wait for them forever."""
        cls.is_forked = True
        torch.set_num_threads(1)


def watch_forks() -> None:
    """Sees to it that forked children run on one thread."""
    if not _Process.is_watched and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_Process.after_fork)
    _Process.is_watched = True


def set_num_threads(num_threads: int) -> None:
    """Sets torch's thread count, for this whole process.

    A process forked from one that has encoded stays at one thread.
    """
    if _Process.is_forked:
        logger.warning("rasa_tokprune.num_threads_ignored_after_fork", num_threads=num_threads)
    elif num_threads != torch.get_num_threads():
        torch.set_num_threads(num_threads)
