"""The identity plan is the original model: Hugging Face and sentence-transformers agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.encoder.backends.batch import position_ids
from tests.checkpoints import ARCHITECTURES, CORPUS, write_json

TEXTS = [*CORPUS, "", "a", "where <pad> is [PAD] my parcel?", " ".join(CORPUS), "Ünïcödé, 漢字"]


def hugging_face_states(folder: Path, ids: np.ndarray) -> np.ndarray:
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.inference_mode():
        batch = torch.from_numpy(ids)[None]
        # A typed pad token is a real token here, as in sentence-transformers.
        return model(batch, attention_mask=torch.ones_like(batch)).last_hidden_state[0].numpy()


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_states_equal_hugging_face_alone_and_in_any_batch(
    checkpoint: Callable[[str], Path], architecture: str, backend: str
) -> None:
    encoder = load_encoder(str(checkpoint(architecture)), batch_size=5, backend=backend)
    together = encoder.encode_detailed(TEXTS)
    for text, encoded in zip(TEXTS, together):
        expected = hugging_face_states(checkpoint(architecture), encoded.tokens.ids)
        np.testing.assert_allclose(encoded.states, expected, atol=1e-5)
        alone = encoder.encode_detailed([text])[0]
        np.testing.assert_allclose(alone.states, expected, atol=1e-5)
        np.testing.assert_allclose(alone.embedding, encoded.embedding, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    "pooling",
    [
        {"pooling_mode_mean_tokens": True},
        {"pooling_mode_cls_token": True},
        {"pooling_mode_max_tokens": True},
        {"pooling_mode_mean_sqrt_len_tokens": True},
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
        {"pooling_mode": "mean"},
    ],
    ids=lambda pooling: "+".join(map(str, pooling)),
)
def test_embeddings_equal_sentence_transformers(
    new_checkpoint: Callable[..., Path], architecture: str, pooling: dict[str, Any]
) -> None:
    folder = new_checkpoint(architecture, pooling=pooling, normalize="mean" in str(pooling))
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(load_encoder(str(folder)).encode(TEXTS), expected, atol=1e-5)


@pytest.mark.parametrize("include_prompt", [True, False])
def test_prompts_lower_case_and_dense_layer_are_honoured(
    new_checkpoint: Callable[..., Path], include_prompt: bool
) -> None:
    folder = new_checkpoint(
        "roberta",
        pooling={"pooling_mode_mean_tokens": True, "include_prompt": include_prompt},
        normalize=False,
        max_seq_length=30,
    )
    write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": {"query": "Where is: ", "none": ""}, "default_prompt_name": "query"},
    )
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 30, "do_lower_case": True})
    reference = SentenceTransformer(str(folder), device="cpu")
    from sentence_transformers.sentence_transformer.modules import Dense

    torch.manual_seed(1)
    reference.append(Dense(in_features=32, out_features=16))
    reference.save(str(folder / "saved"))
    encoder = load_encoder(str(folder / "saved"))
    assert encoder.embedding_size == 16
    assert encoder.max_length == 30
    np.testing.assert_allclose(encoder.encode(TEXTS), reference.encode(TEXTS), atol=1e-5)
    unprompted = load_encoder(str(folder / "saved"), prompt_name="none")
    expected = reference.encode(TEXTS, prompt_name="none")
    np.testing.assert_allclose(unprompted.encode(TEXTS), expected, atol=1e-5)


def test_typed_pad_token_does_not_count_as_a_position() -> None:
    assert position_ids(np.array([0, 7, 1, 8, 2]), offset=2).tolist() == [2, 3, 1, 4, 5]
    assert position_ids(np.array([0, 7, 1, 8, 2]), offset=0).tolist() == [0, 1, 2, 3, 4]
    # What the C library reads, also where numpy counts in 32 bits.
    assert {position_ids(np.array([0, 7]), offset=n).dtype for n in (0, 2)} == {np.dtype(np.int64)}


def test_plain_hugging_face_checkpoint_pools_by_mean(new_checkpoint: Callable[..., Path]) -> None:
    folder = new_checkpoint("bert")
    for name in ("modules.json", "sentence_bert_config.json", "1_Pooling/config.json"):
        (folder / name).unlink()
    encoded = load_encoder(str(folder)).encode_detailed(["where is my parcel"])[0]
    expected = hugging_face_states(folder, encoded.tokens.ids).mean(axis=0)
    np.testing.assert_allclose(encoded.embedding, expected, atol=1e-5)
