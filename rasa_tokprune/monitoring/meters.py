"""Every metric there is, and the numbers behind them; docs/monitoring.md lists the same."""

from __future__ import annotations

import functools
from typing import Any, Dict, NamedTuple, Tuple

import prometheus_client

COUNTER, HISTOGRAM = "counter", "histogram"
# Label values are the names of our own classes and outcomes: never a text, an intent or a sender.
COMPONENT, OUTCOME = "component", "outcome"

_SECONDS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
# 0.5 is the operating point.
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class Meter(NamedTuple):
    """One metric.

    Attributes:
        kind: COUNTER or HISTOGRAM.
        meaning: What is counted, for whoever reads the exposition.
        label: Its one label.
        buckets: Upper bounds, of a histogram.
    """

    kind: str
    meaning: str
    label: str = COMPONENT
    buckets: Tuple[float, ...] = ()


# By name; counters are shown with `_total` behind it.
METERS: Dict[str, Meter] = {
    "rasa_tokprune_messages": Meter(
        COUNTER, "Messages that a component answered, without payloads of buttons"
    ),
    "rasa_tokprune_below_operating_point": Meter(
        COUNTER, "Messages answered with a confidence below 0.5, those without content included"
    ),
    "rasa_tokprune_confidence": Meter(
        HISTOGRAM, "Confidence of the first intent or response", buckets=_SHARES
    ),
    "rasa_tokprune_encode_seconds": Meter(
        HISTOGRAM, "Seconds of a forward pass of the encoder", buckets=_SECONDS
    ),
    "rasa_tokprune_decide_seconds": Meter(
        HISTOGRAM, "Seconds from an embedding to the ranking", buckets=_SECONDS
    ),
    "rasa_tokprune_tokens": Meter(COUNTER, "Tokens that went into the encoder"),
    "rasa_tokprune_tokens_kept": Meter(
        COUNTER, "Tokens that went through all layers of the plan, so were never pruned"
    ),
    "rasa_tokprune_cache_hits": Meter(
        COUNTER, "Messages whose embedding was in the cache (cache_size)"
    ),
    "rasa_tokprune_cache_misses": Meter(COUNTER, "Messages whose embedding was not in the cache"),
    "rasa_tokprune_shadow": Meter(
        COUNTER, "Messages sampled by shadow_rate, by what un-pruning would change", label=OUTCOME
    ),
}


@functools.cache
def meters() -> Dict[str, Any]:
    """Returns Prometheus' object of every metric, made once per process, by name.

    Raises:
        OSError: If the folder for several processes cannot be written.
    """
    made: Dict[str, Any] = {}
    for name, meter in METERS.items():
        if meter.kind == COUNTER:
            made[name] = prometheus_client.Counter(name, meter.meaning, [meter.label])
        else:
            made[name] = prometheus_client.Histogram(
                name, meter.meaning, [meter.label], buckets=meter.buckets
            )
    return made
