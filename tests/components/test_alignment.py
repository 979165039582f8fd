"""Token states to word rows: numbers a reader can check by hand."""

from __future__ import annotations

from typing import List, Tuple

import numpy as np
import pytest

from rasa_tokprune.components.alignment import align_to_words

# "[CLS] par ##cel is [SEP]" over the text "parcel is"
STATES = np.array([[9.0, 9.0], [1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [9.0, 9.0]], dtype=np.float32)
OFFSETS = np.array([[0, 0], [0, 3], [3, 6], [7, 9], [0, 0]])


def align(*spans: Tuple[int, int]) -> List[List[float]]:
    return align_to_words(STATES, OFFSETS, np.array(spans)).tolist()


@pytest.mark.parametrize(
    ("span", "row"),
    [
        pytest.param((7, 9), [5.0, 6.0], id="one token"),
        pytest.param((0, 6), [2.0, 3.0], id="mean of two tokens"),
        pytest.param((0, 9), [3.0, 4.0], id="mean of three tokens"),
        pytest.param((2, 4), [2.0, 3.0], id="part of two tokens counts both whole"),
        pytest.param((6, 7), [0.0, 0.0], id="between tokens"),
        pytest.param((9, 12), [0.0, 0.0], id="after the last token"),
        pytest.param((3, 3), [0.0, 0.0], id="empty word on a border"),
        pytest.param((0, 0), [0.0, 0.0], id="empty word at the start is not a special token"),
    ],
)
def test_row_of_one_word(span: Tuple[int, int], row: List[float]) -> None:
    assert align(span) == [row]


def test_rows_follow_the_words_even_where_they_overlap_or_swap() -> None:
    assert align((7, 9), (0, 6), (0, 9)) == [[5.0, 6.0], [2.0, 3.0], [3.0, 4.0]]


def test_result_is_contiguous_float32() -> None:
    rows = align_to_words(STATES.astype(np.float64), OFFSETS, np.array([[0, 6], [7, 9]]))
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous


def test_a_text_of_special_tokens_only_gives_zeros() -> None:
    rows = align_to_words(STATES[[0, 4]], OFFSETS[[0, 4]], np.array([[0, 0], [0, 5]]))
    assert rows.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_token_without_characters_belongs_to_no_word() -> None:
    # Some tokenizers give an inserted token an empty span in the middle of the text.
    offsets = np.array([[0, 0], [0, 3], [3, 3], [7, 9], [0, 0]])
    rows = align_to_words(STATES, offsets, np.array([[0, 6]]))
    assert rows.tolist() == [[1.0, 2.0]]
