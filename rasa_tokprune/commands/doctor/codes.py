"""Every code a finding can have, its family and level; docs/commands/doctor.md explains them."""

from __future__ import annotations

from typing import Dict, NamedTuple


class Code(NamedTuple):
    """What a code always is."""

    family: str
    level: str


# In the order they are shown in.
FAMILIES: Dict[str, str] = {
    "installation": "Installation",
    "machine": "This machine",
    "caches": "Folders and permissions",
    "config": "Configuration",
    "model": "Encoder",
    "data": "Training data",
    "labels": "Labels",
    "times": "Times",
    "checks": "Checks",
}
_LEVELS = ("ok", "note", "warning", "error")
# Family -> codes by level: ok, note, warning, error.
_BY_FAMILY: Dict[str, tuple[str, str, str, str]] = {
    "installation": (
        "python rasa libraries extras",
        "rasa-absent rasa-pro",
        "package-elsewhere package-version rasa-library-version extra-version",
        "python-unsupported package-twice library-missing library-version",
    ),
    "machine": (
        "cpu cores threads",
        "cpu-slow cpu-variable omp-threads build-refused",
        "no-library cpu-quota omp-threads-many sanic-workers-many sanic-workers-invalid "
        "num-threads-many memory-low",
        "library-broken build-invalid",
    ),
    "caches": (
        "folder",
        "",
        "home-missing cache-unreadable cache-unwritable cache-no-folder bot-unwritable",
        "tmp-unwritable",
    ),
    "config": (
        "config rasa-validation",
        "recipe-graph importer-not-read featurizer-unused diet-fed keyword-behind rasa-warning",
        "config-missing ours-missing two-encoders fallback-missing fallback-twice "
        "fallback-threshold fallback-ambiguity fallback-unhandled two-classifiers "
        "classifier-unused crf-dense assistant-id-missing language-encoder selector-missing "
        "selector-unused selector-intent-unknown oos-intent-unknown needs-server",
        "config-unreadable config-invalid name-unknown short-name key-unknown value-invalid "
        "file-missing language-missing tokenizer-missing fallback-in-front rasa-error",
    ),
    "model": (
        "model plan backend offline-ready",
        "hub-offline hub-asked",
        "model-not-official downloads-allowed",
        "model-missing model-denied model-unusable plan-unusable adapter-misfit backend-unusable",
    ),
    "data": (
        "data domain",
        "intent-few-examples example-repeated example-only-entity data-json domain-missing",
        "data-missing data-skipped intent-one-example example-in-two-intents "
        "intent-without-examples intent-not-in-domain intent-names-alike example-empty "
        "retrieval-without-response response-without-examples",
        "data-unreadable domain-unreadable",
    ),
    "labels": (
        "held-out",
        "examples-nearly-alike label-doubtful",
        "label-suspicious intent-names-swapped example-unreadable encoder-language example-cut",
        "",
    ),
    "times": ("messages memory", "", "", ""),
    "checks": ("", "", "check-failed", ""),
}
CODES: Dict[str, Code] = {
    code: Code(family, level)
    for family, by_level in _BY_FAMILY.items()
    for level, codes in zip(_LEVELS, by_level)
    for code in codes.split()
}
