"""The pipeline's order: what feeds what, what undoes what."""

from __future__ import annotations

from typing import Iterator, List

from rasa_tokprune.commands.doctor.bot import Component
from rasa_tokprune.commands.doctor.case import CLASSIFIER, FEATURIZER, SELECTOR, Case, settings_of
from rasa_tokprune.commands.doctor.findings import Finding

DIET = "DIETClassifier"
# Rasa's, but for DIET, which classifies only if it is told to, as it is by default.
_CLASSIFIERS = (
    CLASSIFIER, "KeywordIntentClassifier", "MitieIntentClassifier", "SklearnIntentClassifier",
    "LogisticRegressionClassifier",
)  # fmt: skip
# What learns from dense features, ours among them.
_TAKES_FEATURES = (
    DIET, CLASSIFIER, "SklearnIntentClassifier", "LogisticRegressionClassifier",
    "CRFEntityExtractor", "ResponseSelector", SELECTOR,
)  # fmt: skip
_SERVERS = {"DucklingEntityExtractor": "a Duckling server"}
# The embeddings of two items are shared if these settings agree.
_NOT_OF_ENCODER = {"cache_size", "bundle_encoder", "local_files_only", "cache_dir", "batch_size"}


def classifies(component: Component) -> bool:
    """Returns whether an item of the pipeline sets the intent."""
    if component.short == DIET:
        return component.config.get("intent_classification", True) is not False
    return component.short in _CLASSIFIERS


def check_order(case: Case) -> Iterator[Finding]:
    """Yields what stands at a wrong place for our featurizer."""
    pipeline = case.bot.pipeline
    for number, component in enumerate(pipeline):
        if component.short != FEATURIZER:
            continue
        place = case.place(component)
        before = [each.short for each in pipeline[:number]]
        if not any(name.endswith("Tokenizer") for name in before):
            yield Finding(
                "tokenizer-missing",
                f"no tokenizer stands in front of {FEATURIZER}, which gives features to its words",
                "Put `- name: WhitespaceTokenizer` in front of it",
                *place,
            )
        behind = pipeline[number + 1 :]
        takers = [each for each in behind if each.short in _TAKES_FEATURES or "." in each.name]
        if not takers:
            yield Finding(
                "featurizer-unused",
                f"nothing behind {FEATURIZER} takes its features",
                "Remove it; TokPruneIntentClassifier needs no featurizer",
                *place,
            )
        yield from _entity_learners(case, component, behind)


def _entity_learners(
    case: Case, featurizer: Component, behind: tuple[Component, ...]
) -> Iterator[Finding]:
    for each in behind:
        chosen = each.config.get("featurizers") or []
        is_fed = not chosen or featurizer.config.get("alias") in chosen
        if each.short == DIET and is_fed and not classifies(each):
            yield Finding(
                "diet-fed",
                f"{DIET} learns entities from our features too, which takes longer to train",
                "To leave them out, name the aliases it is to take under its key featurizers",
                *case.place(each),
            )
        if each.short == "CRFEntityExtractor" and is_fed:
            yield Finding("crf-dense", *_of_crf(each), *case.place(each))


def _of_crf(crf: Component) -> tuple[str, str]:
    """Returns what is wrong with a CRF that gets dense features, and what to do."""
    if _takes_dense(crf):
        return (
            "CRFEntityExtractor takes text_dense_features: each number of our vectors becomes "
            "a feature of each word, which is slow and takes much memory",
            "Take text_dense_features out of its features, or use DIETClassifier with "
            "intent_classification: false for entities",
        )
    # Rasa 3.6.21 keeps what a CRF learned from, with all features, and trains it again at load.
    return (
        "CRFEntityExtractor makes no use of our vectors, but stores those of all its examples: the "
        "trained model is large, and slow to load",
        "Give a sparse featurizer an alias, and name it here: LexicalSyntacticFeaturizer with "
        "`alias: words`, and `featurizers: [words]`",
    )


def _takes_dense(crf: Component) -> bool:
    features = crf.config.get("features") or []
    return any("text_dense_features" in own for own in features if isinstance(own, list))


def check_classifiers(case: Case) -> Iterator[Finding]:
    """Yields intent classifiers that undo each other's work."""
    deciding: List[Component] = [each for each in case.bot.pipeline if classifies(each)]
    ours = [each for each in deciding if each.short == CLASSIFIER]
    if not ours:
        if case.bot.config is not None and not case.bot.named(FEATURIZER, SELECTOR):
            yield Finding(
                "ours-missing",
                "the pipeline has no component of this package",
                "Add `- name: rasa_tokprune.TokPruneIntentClassifier`; README.md has a pipeline",
                case.bot.config,
            )
        return
    at = deciding.index(ours[-1])
    for each in deciding[at + 1 :]:
        if each.short == "KeywordIntentClassifier":
            yield Finding(
                "keyword-behind",
                "KeywordIntentClassifier behind ours decides, with confidence 1, where a keyword "
                "stands in the message",
                "Put it in front, or remove it, if that is not meant",
                *case.place(each),
            )
            continue
        hint = " (or give it intent_classification: false)" if each.short == DIET else ""
        yield Finding(
            "two-classifiers",
            f"{each.short} behind {CLASSIFIER} sets every intent anew: ours is never seen",
            f"Remove one of the two{hint}",
            *case.place(each),
        )
    for each in deciding[:at]:
        hint = "Give it intent_classification: false, which keeps its entities" \
            if each.short == DIET else "Remove it"  # fmt: skip
        yield Finding(
            "classifier-unused",
            f"{each.short} in front of {CLASSIFIER} sets intents that ours sets anew",
            hint,
            *case.place(each),
        )


def check_encoders(case: Case) -> Iterator[Finding]:
    """Yields our items of the pipeline whose encoders differ, so that texts are encoded twice."""
    seen: List[tuple[Component, dict[str, object]]] = []
    for component in case.ours():
        settings = settings_of(component)
        if settings is None or component.short == SELECTOR:
            continue  # a selector may have a plan of its own; it is asked behind the others
        own = {key: value for key, value in vars(settings).items() if key not in _NOT_OF_ENCODER}
        for other, known in seen:
            differing = sorted(key for key in own if own[key] != known[key])
            if differing:
                yield Finding(
                    "two-encoders",
                    f"{component.short} and {other.short} differ in {', '.join(differing)}: every "
                    f"message is encoded twice",
                    "Give both the same keys, so that one takes the other's vectors",
                    *case.place(component),
                )
        seen.append((component, own))


def check_servers(case: Case) -> Iterator[Finding]:
    """Yields items of the pipeline that ask a server for each message."""
    for each in case.bot.named(*_SERVERS):
        url = each.config.get("url") or "RASA_DUCKLING_HTTP_URL"
        yield Finding(
            "needs-server",
            f"{each.short} asks {_SERVERS[each.short]} ({url}) for each message; without it there "
            f"are no such entities, and it takes as long as that takes",
            "Start it with the bot, or remove the item",
            *case.place(each),
        )
