"""OpenTelemetry spans, where the process has OpenTelemetry; it is no dependency of this package."""

from __future__ import annotations

import contextlib
import functools
import importlib
from typing import Any, ContextManager, Optional

from rasa_tokprune.extras import is_installed

LIBRARY = "opentelemetry"
ENCODE_SPAN, DECIDE_SPAN = "rasa_tokprune.encode", "rasa_tokprune.decide"
# What spans carry: numbers and the component's name.
ATTRIBUTES = {
    ENCODE_SPAN: ("component", "texts", "tokens", "tokens_kept"),
    DECIDE_SPAN: ("component", "messages", "below_operating_point"),
}


@functools.cache
def tracer() -> Optional[Any]:
    """Returns OpenTelemetry's tracer; None where its API is not installed.

    Where spans go is decided by whoever configures its SDK, such as `opentelemetry-instrument`.
    """
    if not is_installed(LIBRARY):
        return None
    try:
        trace = importlib.import_module(f"{LIBRARY}.trace")
    except ImportError:  # a package of that name with no API in it
        return None
    return trace.get_tracer("rasa_tokprune")


def span(name: str) -> ContextManager[Any]:
    """Returns a span that is open in a `with` block; of None where there is no tracer."""
    found = tracer()
    if found is None:
        return contextlib.nullcontext()
    context: ContextManager[Any] = found.start_as_current_span(name)
    return context


def annotate(opened: Any, name: str, **values: Any) -> None:
    """Writes attributes of ATTRIBUTES on what `span` opened, if there is anything."""
    if opened is not None:
        for key in ATTRIBUTES[name]:
            opened.set_attribute(f"rasa_tokprune.{key}", values[key])
