"""The pruned encoder as a module of sentence-transformers: the same embeddings, saved, loaded."""

from __future__ import annotations

import copy
import importlib
import json
import re
import shlex
import shutil
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
from sentence_transformers.sentence_transformer.modules import Dense

from rasa_tokprune.cli import main
from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.encoder.checkpoint.modules import read_json
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.errors import CheckpointError, ConfigError
from rasa_tokprune.sentence_transformers import PrunedEncoder
from tests.adapters import random_adapter
from tests.checkpoints import ARCHITECTURES, CORPUS, write_json
from tests.plans import PLANS, TEXTS
from tests.real_data import ROOT, real_sentences


def of(folder: Path, **settings: Any) -> SentenceTransformer:
    return SentenceTransformer(modules=[PrunedEncoder(str(folder), **settings)], device="cpu")


def reopen(model: SentenceTransformer, folder: Path, **settings: Any) -> SentenceTransformer:
    model.save_pretrained(str(folder))
    return SentenceTransformer(str(folder), device="cpu", **settings)


@pytest.fixture
def saved(tiny_bert: Path, tmp_path: Path) -> Path:
    """Returns the folder of a saved model with a plan and an adapter."""
    model = of(tiny_bert, prune=PLANS["drop"], adapter=random_adapter(tiny_bert))
    model.save_pretrained(str(tmp_path / "saved"))
    return tmp_path / "saved"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_un_pruned_it_is_the_plain_model(
    checkpoint: Callable[[str], Path], architecture: str
) -> None:
    folder = checkpoint(architecture)
    plain = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(of(folder).encode(TEXTS), plain, atol=1e-5)


@pytest.mark.parametrize("backend", ["torch", "onnx", "native"])
@pytest.mark.parametrize("name", PLANS)
def test_it_equals_the_encoder(checkpoint: Callable[[str], Path], name: str, backend: str) -> None:
    folder = checkpoint("bert")
    settings: Dict[str, Any] = {
        "prune": PLANS[name],
        "adapter": random_adapter(folder),
        "backend": backend,
        "precision": "int8" if backend == "native" else "fp32",
    }
    expected = load_encoder(str(folder), **settings).encode(TEXTS)
    for batch_size in (1, 4, 100):
        embeddings = of(folder, **settings).encode(TEXTS, batch_size=batch_size)
        assert embeddings.dtype == np.float32
        np.testing.assert_allclose(embeddings, expected, atol=1e-5)


def test_defaults_are_those_of_load_encoder(tiny_bert: Path) -> None:
    encoder, own = load_encoder(str(tiny_bert)), of(tiny_bert)[0].encoder
    assert own.fingerprint == encoder.fingerprint
    assert (own.model.backend, own.model.precision) == (encoder.model.backend, Precision.FP32)


@pytest.mark.parametrize(
    "pooling",
    [{"pooling_mode_cls_token": True}, {"pooling_mode": ["max", "mean", "mean_sqrt_len_tokens"]}],
)
def test_pooling_and_dense_layers_are_inside(
    new_checkpoint: Callable[..., Path], pooling: Dict[str, Any], tmp_path: Path
) -> None:
    plain = SentenceTransformer(str(new_checkpoint(pooling=pooling, normalize=False)), device="cpu")
    dense = Dense(plain.get_embedding_dimension(), 7, activation_function=torch.nn.Tanh())
    plain = SentenceTransformer(modules=[*plain, dense], device="cpu")
    plain.save_pretrained(str(tmp_path / "plain"))
    model = reopen(of(tmp_path / "plain"), tmp_path / "saved")
    assert model.get_embedding_dimension() == 7
    np.testing.assert_allclose(model.encode(TEXTS), plain.encode(TEXTS), atol=1e-5)


def test_what_encode_offers(tiny_bert: Path) -> None:
    model = of(tiny_bert, prune=PLANS["freeze"])
    expected = load_encoder(str(tiny_bert), prune=PLANS["freeze"]).encode(TEXTS)
    as_tensor = model.encode(TEXTS, convert_to_tensor=True)
    np.testing.assert_allclose(as_tensor.numpy(), expected, atol=1e-5)
    assert not as_tensor.requires_grad
    one = model.encode(TEXTS[0])
    np.testing.assert_allclose(one, expected[0], atol=1e-5)
    np.testing.assert_allclose(
        model.encode(TEXTS, truncate_dim=8, normalize_embeddings=True),
        expected[:, :8] / np.linalg.norm(expected[:, :8], axis=1, keepdims=True),
        atol=1e-5,
    )
    np.testing.assert_allclose(
        model.similarity(expected, expected).numpy(), expected @ expected.T, atol=1e-5
    )
    each = model.encode(TEXTS, output_value=None)
    np.testing.assert_allclose(each[2]["sentence_embedding"].numpy(), expected[2], atol=1e-5)
    assert model.encode([]).size == 0
    assert model.encode_query(TEXTS).shape == model.encode_document(TEXTS).shape == expected.shape


def test_an_evaluator_runs(tiny_bert: Path) -> None:
    evaluator = EmbeddingSimilarityEvaluator(CORPUS[:4], CORPUS[4:], [0.1, 0.9, 0.4, 0.3])
    pruned = of(tiny_bert, prune=PLANS["freeze first"])
    scores = pruned.evaluate(evaluator)
    embeddings = load_encoder(str(tiny_bert), prune=PLANS["freeze first"]).encode(CORPUS)
    cosines = (embeddings[:4] * embeddings[4:]).sum(axis=1)
    expected = np.corrcoef(cosines, [0.1, 0.9, 0.4, 0.3])[0, 1]
    assert scores["pearson_cosine"] == pytest.approx(expected, abs=1e-4)


def test_max_seq_length_can_be_set_and_is_saved(tiny_bert: Path, tmp_path: Path) -> None:
    model = of(tiny_bert, max_seq_length=20)
    assert model.max_seq_length == 20
    model.max_seq_length = 6
    expected = load_encoder(str(tiny_bert), max_length=6).encode(CORPUS)
    np.testing.assert_allclose(model.encode(CORPUS), expected, atol=1e-5)
    assert model.preprocess(CORPUS)["input_ids"].shape == (len(CORPUS), 6)
    loaded = reopen(model, tmp_path / "saved")
    assert loaded.max_seq_length == 6
    with pytest.raises(ConfigError, match=r"max_length must be in \[3, 80\] .* got 81"):
        loaded.max_seq_length = 81
    with pytest.raises(ConfigError, match="must be a whole number, got '9'"):
        loaded.max_seq_length = "9"


@pytest.mark.parametrize("include_prompt", [True, False])
def test_prompts_are_those_of_the_plain_model(
    new_checkpoint: Callable[..., Path], include_prompt: bool, tmp_path: Path
) -> None:
    pooling = {"pooling_mode_mean_tokens": True, "include_prompt": include_prompt}
    folder = new_checkpoint(pooling=pooling)
    prompts = {"query": "hello there:", "document": "my parcel:"}
    write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": prompts, "default_prompt_name": "query"},
    )
    plain = SentenceTransformer(str(folder), device="cpu")
    module = PrunedEncoder(str(folder))
    assert module.prompts == prompts
    model = SentenceTransformer(modules=[module], prompts=module.prompts, device="cpu")
    loaded = reopen(model, tmp_path / "saved")
    for own in (model, loaded):
        for chosen in ({}, {"prompt_name": "document"}, {"prompt": "the card:"}, {"prompt": ""}):
            found, expected = own.encode(CORPUS, **chosen), plain.encode(CORPUS, **chosen)
            np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=str(chosen))
    # Without being told of the names, the default prompt holds all the same.
    np.testing.assert_allclose(of(folder).encode(CORPUS), plain.encode(CORPUS), atol=1e-5)


def test_a_prompt_that_leaves_no_room_is_refused(tiny_bert: Path) -> None:
    model = of(tiny_bert, max_seq_length=5)
    with pytest.raises(ConfigError, match="max_length 5 leaves no room for text behind the prompt"):
        model.encode(CORPUS, prompt=CORPUS[0])


@pytest.mark.parametrize("given", [("a", "b"), {"text": "a"}, 7])
def test_other_inputs_than_texts_are_refused(tiny_bert: Path, given: Any) -> None:
    with pytest.raises(ConfigError, match=f"inputs must be strings, got {type(given).__name__}"):
        PrunedEncoder(str(tiny_bert)).preprocess([given])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", ["skip", "drop", "identity"])
def test_saved_and_loaded_it_gives_the_same(
    checkpoint: Callable[[str], Path], architecture: str, name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "original"
    shutil.copytree(checkpoint(architecture), folder)
    model = of(folder, prune=PLANS[name], adapter=random_adapter(folder), backend="torch")
    expected = model.encode(TEXTS)
    model.save_pretrained(str(tmp_path / "saved"))
    shutil.rmtree(folder)
    shutil.move(tmp_path / "saved", tmp_path / "moved")
    with warnings.catch_warnings():
        # No remote code: the class is one of an installed package.
        warnings.simplefilter("error", FutureWarning)
        loaded = SentenceTransformer(str(tmp_path / "moved"), device="cpu")
    np.testing.assert_array_equal(loaded.encode(TEXTS), expected)
    # And again, to where it was loaded from.
    again = reopen(loaded, tmp_path / "moved")
    np.testing.assert_array_equal(again.encode(TEXTS), expected)


def test_what_is_saved_opens_without_sentence_transformers(saved: Path) -> None:
    loaded = SentenceTransformer(str(saved), device="cpu")
    encoder = load_encoder(str(saved / "encoder"), prune=saved / "plan.json")
    np.testing.assert_allclose(encoder.encode(TEXTS), loaded.encode(TEXTS), atol=1e-6)


def test_what_is_saved_names_no_place_on_this_machine(
    new_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    folder = new_checkpoint()
    for name, key in (("config.json", "_name_or_path"), ("tokenizer_config.json", "vocab_file")):
        write_json(folder / name, {**read_json(folder / name), key: str(folder / "there")})
    (folder / "README.md").write_text("The base model's card.", encoding="utf-8")
    (folder / "LICENSE").write_text("Apache-2.0", encoding="utf-8")
    expected = of(folder).encode(TEXTS)
    loaded = reopen(of(folder, adapter=random_adapter(folder)), tmp_path / "saved")
    files = [path for path in (tmp_path / "saved").rglob("*") if path.is_file()]
    for path in files:
        assert str(tmp_path).encode() not in path.read_bytes(), path
    kinds = {".json", ".md", ".safetensors", ".txt", ""}
    assert {path.suffix for path in files} <= kinds
    encoder = tmp_path / "saved" / "encoder"
    assert (encoder / "README.base.md").read_text() == "The base model's card."
    assert (encoder / "LICENSE").read_text() == "Apache-2.0"
    plain = SentenceTransformer(str(encoder), device="cpu")
    np.testing.assert_allclose(plain.encode(TEXTS), expected, atol=1e-5)
    assert str(tmp_path) not in str(loaded)


def test_saving_over_another_model_leaves_nothing_of_it(saved: Path, tiny_bert: Path) -> None:
    assert (saved / "adapter.safetensors").is_file()
    loaded = reopen(of(tiny_bert, prune=PLANS["freeze"]), saved)
    assert not (saved / "adapter.safetensors").exists()
    expected = load_encoder(str(tiny_bert), prune=PLANS["freeze"]).encode(TEXTS)
    np.testing.assert_allclose(loaded.encode(TEXTS), expected, atol=1e-5)


def replaced_weights(saved: Path) -> None:
    file = saved / "encoder" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def other_plan(saved: Path) -> None:
    plan = read_json(saved / "plan.json")
    write_json(saved / "plan.json", {**plan, "thresholds": [0, 0.2, 0, 0]})


def other_adapter(saved: Path) -> None:
    adapter = random_adapter(saved / "encoder", seed=1)
    adapter.save(saved / "adapter.safetensors")


def no_adapter(saved: Path) -> None:
    (saved / "adapter.safetensors").unlink()


def no_weights(saved: Path) -> None:
    (saved / "encoder" / "model.safetensors").unlink()


def no_encoder(saved: Path) -> None:
    shutil.rmtree(saved / "encoder")


def later_format(saved: Path) -> None:
    settings = read_json(saved / "pruned_encoder.json")
    write_json(saved / "pruned_encoder.json", {**settings, "format": 2})


def no_precision(saved: Path) -> None:
    settings = read_json(saved / "pruned_encoder.json")
    del settings["precision"]
    write_json(saved / "pruned_encoder.json", settings)


def odd_identities(saved: Path) -> None:
    settings = read_json(saved / "pruned_encoder.json")
    write_json(saved / "pruned_encoder.json", {**settings, "identities": None})


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (replaced_weights, "the encoder in '.*' is not the one that was saved"),
        (other_plan, "the plan in '.*' is not the one that was saved"),
        (other_adapter, "the adapter in '.*' is not the one that was saved"),
        (no_adapter, "adapter.safetensors"),
        (no_weights, "holds no model.safetensors"),
        (no_encoder, "encoder' is missing; copy the whole folder again"),
        (later_format, "is not of format 1"),
        (no_precision, "lacks the key 'precision'"),
        (odd_identities, "is not the one that was saved"),
    ],
)
def test_damage_is_one_clear_line(saved: Path, damage: Callable[[Path], None], line: str) -> None:
    damage(saved)
    with pytest.raises((CheckpointError, ConfigError), match=line) as error:
        SentenceTransformer(str(saved), device="cpu")
    assert "\n" not in str(error.value)


def test_numbers_can_be_chosen_at_load(saved: Path, tiny_bert: Path) -> None:
    options = {"backend": "native", "precision": "int8", "num_threads": 1}
    loaded = SentenceTransformer(str(saved), device="cpu", model_kwargs=dict(options))
    expected = load_encoder(
        str(tiny_bert), prune=PLANS["drop"], adapter=random_adapter(tiny_bert), **options
    )
    np.testing.assert_array_equal(loaded.encode(TEXTS), expected.encode(TEXTS))


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"model_kwargs": {"precison": "int8"}},
            "unknown key 'precison'. Did you mean 'precision'",
        ),
        ({"model_kwargs": {"backend": "openvino"}}, "backend must be one of auto, torch"),
        ({"backend": "onnx"}, "give model_kwargs={'backend'"),
    ],
)
def test_options_that_cannot_be_are_refused(saved: Path, settings: Any, line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        SentenceTransformer(str(saved), device="cpu", **settings)


def test_wrong_settings_are_refused_at_once(tiny_bert: Path, checkpoint: Any) -> None:
    with pytest.raises(ConfigError, match="was trained for another encoder"):
        PrunedEncoder(str(tiny_bert), adapter=random_adapter(checkpoint("roberta")))
    with pytest.raises(ConfigError, match="prune: no plan 'gentel'"):
        PrunedEncoder(str(tiny_bert), prune="gentel")
    with pytest.raises(ConfigError, match="does not run on backend 'native'"):
        PrunedEncoder(str(tiny_bert), backend="native", precision="fp32")


def test_the_device_is_that_of_the_sentence_transformer(tiny_bert: Path) -> None:
    model = of(tiny_bert)
    assert model.device.type == "cpu"
    # A device that this machine need not have: nothing is computed there.
    model.to("meta")
    assert model.device.type == "meta"
    assert model[0].encoder.model.device == "cpu"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "cuda:1"),
        ({"backend": "torch"}, "cuda:1"),
        ({"backend": "onnx"}, "cpu"),
        ({"precision": "int8"}, "cpu"),
        ({"backend": "native", "precision": "int8"}, "cpu"),
    ],
)
def test_what_runs_only_on_the_cpu_stays_there(
    tiny_bert: Path, settings: Dict[str, str], expected: str
) -> None:
    module = PrunedEncoder(str(tiny_bert), **settings)
    del module.place
    # There need not be a GPU here.
    object.__setattr__(module, "place", SimpleNamespace(device=torch.device("cuda:1")))
    assert module._computing_device() == expected


def test_a_copy_gives_the_same(tiny_bert: Path) -> None:
    model = of(tiny_bert, prune=PLANS["drop"], adapter=random_adapter(tiny_bert))
    expected = model.encode(TEXTS)
    np.testing.assert_array_equal(copy.deepcopy(model).encode(TEXTS), expected)


@pytest.mark.thorough
def test_several_processes_give_the_same(saved: Path) -> None:
    model = SentenceTransformer(str(saved), device="cpu")
    expected = model.encode(CORPUS)
    found = model.encode(CORPUS, device=["cpu", "cpu"], chunk_size=3)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_layer_behind_it_can_be_trained(tiny_bert: Path) -> None:
    module = PrunedEncoder(str(tiny_bert), prune=PLANS["drop"])
    dense = Dense(32, 4)
    model = SentenceTransformer(modules=[module, dense], device="cpu")
    model(model.preprocess(CORPUS))["sentence_embedding"].sum().backward()
    assert dense.linear.weight.grad.abs().sum() > 0
    assert all(not parameter.requires_grad for parameter in module.parameters())


def test_an_earlier_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "rasa_tokprune.sentence_transformers"
    monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sentence_transformers.sentence_transformer.modules", None)
    with pytest.raises(ConfigError, match="needs sentence-transformers 5.4 or later"):
        importlib.import_module(name)


@pytest.mark.slow
@pytest.mark.parametrize("plan", ["off", "light", "balanced"])
def test_the_real_model(plan: str, tmp_path: Path) -> None:
    texts = real_sentences(100)
    model = SentenceTransformer(modules=[PrunedEncoder(prune=plan)], device="cpu")
    loaded = reopen(model, tmp_path / "saved")
    embeddings = loaded.encode(texts)
    np.testing.assert_allclose(embeddings, load_encoder(prune=plan).encode(texts), atol=1e-5)
    if plan == "off":
        plain = SentenceTransformer(str(tmp_path / "saved" / "encoder"), device="cpu")
        np.testing.assert_allclose(embeddings, plain.encode(texts), atol=1e-5)
    else:
        card = (tmp_path / "saved" / "ADAPTER.md").read_text(encoding="utf-8")
        assert "Data." in card
        assert "](../" not in card
    settings = json.loads((tmp_path / "saved" / "pruned_encoder.json").read_text())
    assert settings["plan"] == plan


@pytest.mark.slow
def test_the_document_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "sentence-transformers.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL)
    assert [language for language, _ in snippets] == ["python", "python", "bash"]
    values: Dict[str, Any] = {}
    for language, snippet in snippets:
        if language == "python":
            exec(compile(snippet, "sentence-transformers.md", "exec"), values)
        else:
            assert main(shlex.split(snippet)[1:]) == 0
    assert capsys.readouterr().out.startswith("torch.Size([2, 2])\n6 of 6 layers, adapter 'light'")
    texts = ["where is my parcel?", "has my package left yet?"]
    np.testing.assert_allclose(values["model"].encode(texts), values["embeddings"], atol=1e-5)
    np.testing.assert_allclose(values["encoder"].encode(texts), values["embeddings"], atol=1e-5)
