"""Plans that drop punctuation at the end of a text."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder, resolve_plan
from rasa_tokprune.encoder.written import without_end
from tests.checkpoints import N_LAYERS

PLAN = dataclasses.replace(PruningPlan.identity(N_LAYERS), drop_end=True)


@pytest.fixture
def encoder(tiny_bert: Path) -> Encoder:
    return load_encoder(str(tiny_bert), prune=PLAN)


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("where is it?", "where is it"),
        ("where is it ?!", "where is it"),
        ("hello...  ", "hello"),
        ("hello…", "hello"),
        ("你好。", "你好"),
        ("क्या हुआ?।", "क्या हुआ"),
        ("v1.2", "v1.2"),
        ("e.g. this", "e.g. this"),
        ("not that :(", "not that :("),
        ("ok 👍!", "ok 👍"),
        ("??", "??"),
        ("- !", "- !"),
        ("...", "..."),
        ("", ""),
    ],
)
def test_what_is_left(text: str, beginning: str) -> None:
    assert without_end(text) == beginning


def test_ends_make_no_difference(encoder: Encoder, tiny_bert: Path) -> None:
    plain = "where is my parcel"
    one, *others = encoder.encode([plain, f"{plain}?", f"{plain} ?", f"{plain}...", f"{plain}!!!"])
    for other in others:
        np.testing.assert_allclose(other, one, atol=1e-6)
    whole = load_encoder(str(tiny_bert))
    np.testing.assert_allclose(whole.encode([plain])[0], one, atol=1e-6)
    assert not np.allclose(whole.encode([f"{plain}?"])[0], one, atol=1e-3)


def test_a_text_of_nothing_else_stays(encoder: Encoder, tiny_bert: Path) -> None:
    texts = ["??", "?!", "..."]
    expected = load_encoder(str(tiny_bert)).encode(texts)
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-6)


def test_offsets_are_those_of_the_text_as_written(encoder: Encoder) -> None:
    detailed = encoder.encode_detailed(["hello you ?!"])[0]
    ends = detailed.tokens.offsets[~detailed.tokens.is_special]
    assert (ends[0, 0], ends[-1, 1]) == (0, len("hello you"))


def test_it_is_another_plan_that_prunes_something() -> None:
    assert PruningPlan.identity(N_LAYERS).is_identity
    assert not PLAN.is_identity
    assert PLAN.fingerprint() != PruningPlan.identity(N_LAYERS).fingerprint()


@pytest.mark.parametrize("name", ["light", "balanced", "fast"])
def test_plans_with_an_adapter_drop_ends_and_the_paper_s_does_not(name: str) -> None:
    assert resolve_plan(name, 6).drop_end
    assert not resolve_plan("paper", 6).drop_end
