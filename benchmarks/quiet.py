"""Keeps what is measured from printing every message, and sets the log back behind it."""

from __future__ import annotations

import contextlib
import logging
from typing import Iterator

import structlog


@contextlib.contextmanager
def without_logs(level: int = logging.ERROR) -> Iterator[None]:
    """Logs nothing below a level, by structlog, nor at it or below, by logging.

    Rasa prints every message where its own command did not set its log up.

    Args:
        level: Such as `logging.ERROR`.
    """
    before, disabled = structlog.get_config(), logging.root.manager.disable
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
    logging.disable(level)
    try:
        yield
    finally:
        logging.disable(disabled)
        structlog.configure(**before)
