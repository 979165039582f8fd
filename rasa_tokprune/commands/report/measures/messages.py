"""Messages to look into: which tokens were pruned where, which n-grams decided."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Sequence, Tuple

import numpy as np

from rasa_tokprune.commands.report.answers import Answer
from rasa_tokprune.commands.report.bot import Bot
from rasa_tokprune.commands.report.material import LOG
from rasa_tokprune.explanation import explain

WRONG, UNSURE, OTHER = "wrong", "unsure", "sample"
# Most messages of each group, of labelled ones and of a log's each.
_MOST = {WRONG: 200, UNSURE: 100, OTHER: 60}
_SEED = 0


def choose(answers: Sequence[Answer]) -> List[Tuple[str, Answer]]:
    """Returns messages worth a look, each with its group.

    Wrong answers come first, the most confident of them leading; then messages below the operating
    point, the nearest to it leading; then a sample of the rest.

    Args:
        answers: To all messages.
    """
    groups: Dict[Tuple[bool, str], List[Answer]] = {}
    for each in answers:
        if each.predicted is None:
            continue
        is_wrong = each.intent is not None and not each.is_right
        group = WRONG if is_wrong else OTHER if each.is_accepted else UNSURE
        groups.setdefault((each.source == LOG, group), []).append(each)
    rng = np.random.default_rng(_SEED)
    chosen: List[Tuple[str, Answer]] = []
    for (_, group), own in sorted(groups.items(), key=lambda pair: list(_MOST).index(pair[0][1])):
        if group == OTHER:
            own = [own[number] for number in np.sort(rng.permutation(len(own))[: _MOST[group]])]
        else:
            own = sorted(own, key=lambda each: -each.confidence)[: _MOST[group]]
        chosen += [(group, each) for each in own]
    return chosen


def look_into(bot: Bot, chosen: Iterable[Tuple[str, Answer]]) -> List[Dict[str, Any]]:
    """Returns messages with what was made of them, ready to become JSON.

    Args:
        bot: The bot; an example is explained by a bot trained without it.
        chosen: Groups and answers, from `choose`.

    Returns:
        `text`, `source`, `group`, `intent`, `predicted`, `confidence`, `accepted` of each;
        `tokens`, each a text and the layer after which it was pruned, null if never; `readable`;
        and of the best two `intents` `name`, `confidence`, nearest `example` and `similarity`,
        `embedding` and `words`: what either view added to the score; `ngrams`: which words and
        pairs of words did, and by how much.
    """
    found = []
    for group, each in chosen:
        explained = explain(
            each.text, bot.encoder.encoder, bot.classifier_for(each.example), bot.texts
        )
        found.append(
            {
                "text": each.text,
                "source": each.source,
                "group": group,
                "intent": each.intent,
                "predicted": each.predicted,
                "confidence": round(each.confidence, 3),
                "accepted": each.is_accepted,
                "cost": explained["cost"],
                "readable": explained["readable"],
                "tokens": [[token["text"], token["layer"]] for token in explained["tokens"]],
                "intents": [_intent(entry) for entry in explained["intents"]],
            }
        )
    return found


def _intent(entry: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "name": entry["intent"],
        "confidence": entry["confidence"],
        "example": entry["nearest_example"],
        "is_name": entry["is_name"],
        "similarity": entry["similarity"],
        "embedding": entry["from_embedding"],
        "words": entry["from_words"],
        "ngrams": [[word["text"], word["score"]] for word in entry["words"] or ()],
    }
