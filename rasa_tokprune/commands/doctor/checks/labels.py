"""What the encoder and a classifier fitted to them say of the examples."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Sequence, Tuple

import numpy as np

from rasa_tokprune.commands.doctor.bot import Message
from rasa_tokprune.commands.doctor.case import CLASSIFIER, Case
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.components.config.decisions import DecisionSettings
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.tokens import Tokens
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import embed_names, find_oos_labels, training_report
from rasa_tokprune.fewshot.certificate import TrainingSet
from rasa_tokprune.fewshot.classifier import fit_classifier
from rasa_tokprune.fewshot.lexical.ngrams import words
from rasa_tokprune.fewshot.messages import HARDLY_READABLE, MANY_PIECES
from rasa_tokprune.fewshot.prototypes import mean_prototypes, normalize_rows

# Two names are swapped if each is so much nearer, by cosine, to the other's examples; and the
# difference of class scores from which a label is told as wrong. What either finds, on bots as they
# were published and with labels and names exchanged: benchmarks/decisions/labels.py.
SWAPPED = 0.05
SURELY = 5.0
_LANGUAGE = "For a language that the encoder does not know, set model to a multilingual one"


def check_readable(case: Case) -> Iterator[Finding]:
    """Yields examples that the encoder cannot read, or not to their end."""
    encoder, messages = case.encoder, case.bot.messages
    if encoder is None or not messages:
        return
    tokenized = encoder.tokenize([own.example.text for own in messages])
    found = [_reading(*pair, encoder.max_length) for pair in zip(messages, tokenized)]
    yield from (finding for own in found for finding in own)
    n_words = sum(len(words(each.example.text)) for each in messages)
    n_tokens = sum(tokens.n_own for tokens in tokenized)
    is_told = any(finding.code == "example-unreadable" for own in found for finding in own)
    if n_words and n_tokens > MANY_PIECES * n_words and not is_told:
        yield Finding(
            "encoder-language",
            f"the encoder divides a word into {n_tokens / n_words:.1f} pieces on average, as it "
            f"does with languages that it was not trained on",
            _LANGUAGE,
        )


def _reading(message: Message, tokens: Tokens, max_length: int) -> List[Finding]:
    """Returns what keeps the encoder from reading an example whole."""
    found, place = [], (message.file, message.line)
    intent, text = message.example.intent, message.example.text
    if not tokens.has_content and text.strip():
        problem = f"an example of '{intent}' holds only invisible characters"
        found.append(Finding("example-unreadable", problem, "Delete it, or type it again", *place))
    elif tokens.has_content and tokens.readable_share < HARDLY_READABLE:
        problem = f"the encoder cannot read '{_short(text)}' ({intent}): only its very words count"
        found.append(Finding("example-unreadable", problem, _LANGUAGE, *place))
    if tokens.is_truncated:
        problem = (
            f"'{_short(text)}' ({intent}) is longer than {max_length} tokens, the rest is not read"
        )
        advice = "Make it as short as users write, or raise max_length"
        found.append(Finding("example-cut", problem, advice, *place))
    return found


def check_labels(case: Case) -> Iterator[Finding]:
    """Yields labels that look wrong with their example held out, as `rasa train` reports them."""
    if case.encoder is None or case.is_fast:
        return
    messages = _once(case)
    labels = [each.example.intent for each in messages]
    if len(set(labels)) < 2:
        return
    texts = [each.example.text for each in messages]
    training, decides = _training_set(case, case.encoder, messages)
    fitted = fit_classifier(
        training.support,
        oos_labels=training.oos_labels,
        target_in_scope_rejection=training.target_in_scope_rejection,
        lexical_weight=training.lexical_weight,
    )
    report = training_report(fitted, training.support, list(training.messages.texts or texts))
    if report["accuracy"] is not None:
        yield Finding(
            "held-out",
            f"{100 * report['accuracy']:.1f}% of {report['n_held_out']} examples are right when "
            f"held out, with {decides}",
        )
    yield from _suspects(report, messages)


def _suspects(report: Dict[str, Any], messages: List[Message]) -> Iterator[Finding]:
    """Yields the labels that look wrong, and messages of two intents that mean nearly the same."""
    where = {(each.example.text, each.example.intent): each for each in reversed(messages)}
    told = {entry[key] for entry in report["contradictions"] for key in ("text", "other_text")}
    for entry in report["suspicious_labels"]:
        if entry["text"] in told:  # it stands in two intents, which is said elsewhere
            continue
        message = where[entry["text"], entry["intent"]]
        is_sure = entry["difference"] > SURELY
        yield Finding(
            "label-suspicious" if is_sure else "label-doubtful",
            f"'{_short(entry['text'])}' is labelled '{entry['intent']}' but looks like "
            f"'{entry['predicted']}'",
            "Read it: move it if the label is wrong; if it is right, write more like it",
            message.file,
            message.line,
        )
    for entry in report["near_duplicates"]:
        message = where[entry["other_text"], entry["other_intent"]]
        yield Finding(
            "examples-nearly-alike",
            f"'{_short(entry['text'])}' ({entry['intent']}) and '{_short(entry['other_text'])}' "
            f"({entry['other_intent']}) mean nearly the same",
            "If users mean one thing by both, keep them in one intent",
            message.file,
            message.line,
        )


def check_swapped(case: Case) -> Iterator[Finding]:
    """Yields two intents of which each one's name fits the other's examples."""
    if case.encoder is None or case.is_fast:
        return
    messages = _once(case)
    names, vectors, means = names_and_means(
        [each.example.text for each in messages],
        [each.example.intent for each in messages],
        case.encoder,
    )
    first = {each.example.intent: each for each in reversed(messages)}
    for one, other, gain in swapped_pairs(vectors, means):
        if gain > SWAPPED:
            place = first[names[one]]
            yield Finding(
                "intent-names-swapped",
                f"the examples of '{names[one]}' fit the name '{names[other]}', and the other way "
                f"round",
                "Exchange the two names, if they were mixed up",
                place.file,
                place.line,
            )


def names_and_means(
    texts: Sequence[str], intents: Sequence[str], encoder: Encoder
) -> Tuple[List[str], np.ndarray, np.ndarray]:
    """Returns the intents whose names can be read, and unit vectors of names and of examples.

    Args:
        texts: Examples.
        intents: Of each.
        encoder: What embeds names and examples.

    Returns:
        Names; their vectors, (n_names, d); the mean of each one's examples, (n_names, d).
    """
    embedded = embed_names(intents, encoder.encode)
    names = sorted(embedded)
    kept = [row for row, intent in enumerate(intents) if intent in embedded]
    if not kept:
        return [], np.zeros((0, 0)), np.zeros((0, 0))
    targets = np.array([names.index(intents[row]) for row in kept])
    vectors = normalize_rows(encoder.encode([texts[row] for row in kept]))
    means = mean_prototypes(vectors, targets, len(names))
    return names, normalize_rows(np.array([embedded[name] for name in names])), means


def swapped_pairs(names: np.ndarray, means: np.ndarray) -> Iterator[Tuple[int, int, float]]:
    """Yields the pairs of intents of which each one's name is nearest to the other's examples.

    Args:
        names: Vectors of the names, from `names_and_means`.
        means: Of the examples.

    Yields:
        Numbers of both, and by how much, in cosine, each name is nearer there than to its own.
    """
    cosines = names @ means.T
    gain = cosines - np.diag(cosines)[:, None]
    for number, other in enumerate(cosines.argmax(axis=1) if len(names) else ()):
        if number < other and cosines[other].argmax() == number:
            yield number, int(other), float(min(gain[number, other], gain[other, number]))


def _once(case: Case) -> List[Message]:
    """Returns the examples with content, each once, as Rasa merges them."""
    found: Dict[str, Message] = {}
    for each in case.bot.messages:
        if each.example.text.strip():
            found.setdefault(each.example.identity, each)
    return list(found.values())


def _training_set(case: Case, encoder: Encoder, messages: List[Message]) -> Tuple[TrainingSet, str]:
    """Returns what the bot's classifier is fitted to, and words for how it decides."""
    ours = case.bot.named(CLASSIFIER)
    try:
        decides = DecisionSettings.from_config(ours[-1].config if ours else {})
    except ConfigError:  # said elsewhere
        decides, ours = DecisionSettings.from_config({}), []
    labels = [each.example.intent for each in messages]
    oos = find_oos_labels(labels) if decides.oos_intents is None else decides.oos_intents
    training = TrainingSet.encoded(
        [each.example.text for each in messages],
        labels,
        [each.example.key or each.example.intent for each in messages],
        encoder,
        use_intent_names=decides.use_intent_names,
        oos_labels=[name for name in oos if name in labels],
        target_in_scope_rejection=decides.target_in_scope_rejection,
        lexical_weight=decides.lexical_weight,
    )
    return training, f"{CLASSIFIER} as configured" if ours else f"{CLASSIFIER} as it comes"


def _short(text: str, most: int = 80) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= most else f"{one_line[: most - 3]}..."
