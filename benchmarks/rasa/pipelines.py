"""The Rasa pipelines that are compared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from tokenizers import Tokenizer

from rasa_tokprune.encoder.tokens import read_tokenizer

Pipeline = List[Dict[str, Any]]
# Rasa itself and nothing of ours: what a server needs anyway. Trained on FLOOR_DATA, because Rasa's
# keyword classifier fails on data with the same example in two intents.
FLOOR = "keyword"
FLOOR_DATA = """version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello
- intent: leave
  examples: |
    - goodbye
"""
_OURS = "rasa_tokprune."
_WHITESPACE = {"name": "WhitespaceTokenizer"}
_DIET = {"name": "DIETClassifier", "epochs": 100, "constrain_similarities": True}

PIPELINES: Dict[str, Pipeline] = {
    FLOOR: [_WHITESPACE, {"name": "KeywordIntentClassifier"}],
    "tokprune": [{"name": "rasa_tokprune.TokPruneIntentClassifier"}],
    "tokprune-features": [
        _WHITESPACE,
        {"name": "rasa_tokprune.TokPruneFeaturizer"},
        {"name": "LogisticRegressionClassifier"},
    ],
    # As `rasa init` writes it, and as in example_bot/config_diet.yml.
    "default": [
        _WHITESPACE,
        {"name": "RegexFeaturizer"},
        {"name": "LexicalSyntacticFeaturizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        _DIET,
        {"name": "EntitySynonymMapper"},
        {"name": "ResponseSelector", "epochs": 100, "constrain_similarities": True},
        {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
    ],
    "language-model": [
        _WHITESPACE,
        {"name": "LanguageModelFeaturizer", "model_name": "bert", "model_weights": ""},
        _DIET,
    ],
}
TITLES = {
    FLOOR: "Rasa alone (WhitespaceTokenizer, KeywordIntentClassifier)",
    "tokprune": "TokPruneIntentClassifier",
    "tokprune-features": "TokPruneFeaturizer + LogisticRegressionClassifier",
    "default": "`rasa init`'s default (DIET)",
    "language-model": "LanguageModelFeaturizer (BERT-base, random weights) + DIET",
}


def pipeline(name: str, settings: Mapping[str, Any], bert: Optional[Path] = None) -> Pipeline:
    """Returns a pipeline with settings in our components.

    Args:
        name: A key of PIPELINES.
        settings: Keys for this package's components.
        bert: Folder of a TensorFlow BERT, for `language-model`.
    """
    components = []
    for component in PIPELINES[name]:
        own = dict(component)
        if own["name"].startswith(_OURS):
            own.update(settings)
        if "model_weights" in own:
            own["model_weights"] = str(bert)
        components.append(own)
    return components


def has_own(name: str) -> bool:
    """Returns whether a pipeline holds a component of this package."""
    return any(component["name"].startswith(_OURS) for component in PIPELINES[name])


_CHECK = "import transformers; transformers.TFBertModel, transformers.BertTokenizer"
_WRITE = """
import sys, tensorflow as tf
from transformers import BertConfig, BertTokenizer, TFBertModel
tf.random.set_seed(0)
tokenizer = BertTokenizer(sys.argv[1])
model = TFBertModel(BertConfig(vocab_size=len(tokenizer)))
model(tf.constant([[1, 2, 3]]))
model.save_pretrained(sys.argv[2])
tokenizer.save_pretrained(sys.argv[2])
"""


def random_tensorflow_bert(like: Path, work: Path) -> Optional[Path]:
    """Returns the folder of a TensorFlow BERT-base with random weights, written if missing.

    None if transformers has no TensorFlow classes here: they are only in installs of
    `rasa[transformers]`.

    Args:
        like: Checkpoint of a BERT, whose vocabulary it shares.
        work: Where it is kept.
    """
    folder = work / "tf-bert-base"
    if subprocess.run([sys.executable, "-c", _CHECK], capture_output=True).returncode != 0:
        return None
    if (folder / "tf_model.h5").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    token_ids = Tokenizer.from_str(read_tokenizer(like)).get_vocab()
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(sorted(token_ids, key=token_ids.__getitem__)), "utf-8")
    command = [sys.executable, "-c", _WRITE, str(vocabulary), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder
