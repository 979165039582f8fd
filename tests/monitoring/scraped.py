"""Reads metrics as Prometheus does."""

from __future__ import annotations

import urllib.request
from typing import Dict, Tuple

from prometheus_client.parser import text_string_to_metric_families

Samples = Dict[Tuple[str, str], float]


def page(host: str, port: int) -> str:
    """Returns what a server of metrics answers."""
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def scrape(host: str, port: int) -> Samples:
    """Returns every sample of ours, by its name and by the values of its labels."""
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page(host, port))
        for sample in family.samples
        if sample.name.startswith("rasa_tokprune_")
    }
