"""Drawn messages that say nothing."""

from __future__ import annotations

from rasa_tokprune.commands.adapt.mash import draw_mash


def test_the_same_seed_draws_the_same() -> None:
    assert draw_mash(200, 0) == draw_mash(200, 0)
    assert draw_mash(50, 0) == draw_mash(200, 0)[:50]
    assert draw_mash(200, 0) != draw_mash(200, 1)
    assert draw_mash(0, 0) == []


def test_messages_are_short_and_never_blank() -> None:
    messages = draw_mash(2000, 3)
    assert all(message.strip() == message != "" for message in messages)
    assert all(1 <= len(message.split()) <= 4 for message in messages)
    assert len(set(messages)) > 1500


def test_every_kind_is_there() -> None:
    messages = draw_mash(2000, 0)
    assert any(message.isdigit() for message in messages)
    assert any(not any(map(str.isalnum, message)) for message in messages)
    assert any(message.isupper() for message in messages)
    assert any("qwert" in message or "trewq" in message for message in messages)
    assert any(message.startswith("hmmm") for message in messages)
