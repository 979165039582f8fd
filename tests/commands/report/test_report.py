"""`rasa-tokprune report`: one file, whose numbers are those of the training report."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.fewshot import fit_classifier, training_report
from rasa_tokprune.fewshot.certificate import TrainingSet
from rasa_tokprune.texts.tasks import read_examples
from tests.commands.report.conftest import HOSTILE, INTENTS, LOG, TEST

Report = Callable[..., str]


def data_of(page: str) -> Dict[str, Any]:
    """Returns what the page's scripts read."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    found: Dict[str, Any] = json.loads(text)
    return found


def test_the_numbers_are_those_of_the_training_report(
    call: List[str],
    nlu: Path,
    tiny_bert: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*call, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    encoder = load_encoder(str(tiny_bert), precision="auto")
    examples = TrainingSet.encoded(*read_examples(nlu), encoder, oos_labels=["out_of_scope"])
    fitted = fit_classifier(examples.support, oos_labels=["out_of_scope"])
    sample = fitted.calibration.sample
    assert said["accuracy"] == pytest.approx(sample.is_right.mean(), abs=1e-4)
    texts = list(examples.messages.texts or ())
    expected = training_report(fitted, examples.support, texts)
    assert expected["n_contradictions"] == 1
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'The same message in two intents<span class="count">1</span>' in page
    counts = {kind: expected[f"n_{kind}"] for kind in ("suspicious_labels", "near_duplicates")}
    for kind, n in counts.items():
        assert re.search(
            rf'id="finding-{kind}".*?<span class="count">{n:,}</span>', page, re.DOTALL
        )


def test_the_page_shows_every_part(report: Report, more: List[str]) -> None:
    page = report(*more)
    for part in (
        "summary", "plans", "confidence", "intents", "confused", "findings", "messages",
        "robustness", "differences",
    ):  # fmt: skip
        assert f'<section id="{part}"' in page
        assert f'href="#{part}"' in page
    assert "<title>coffee bot: bot report</title>" in page
    found = data_of(page)
    assert {item["source"] for item in found["messages"]} == {"training", "test", "log"}
    assert [point["plan"] for point in found["plans"] if point["is_chosen"]] == ["off"]


def test_plans_beside_the_bots_own_are_measured_on_the_same_messages(
    report: Report, plan_path: Path
) -> None:
    own, other = data_of(report("--plans", str(plan_path)))["plans"]
    assert own["plan"] == "off"
    assert other["plan"] == "plan"
    # All in scope but the only example of an intent, which cannot be held out.
    n_in_scope = sum(len(texts) for name, texts in INTENTS.items() if name != "out_of_scope")
    assert own["n_messages"] == other["n_messages"] == n_in_scope - 1
    assert other["gain"] == pytest.approx(other["accuracy"] - own["accuracy"])
    assert own["gain"] == own["spread"] == 0
    assert other["cost"] < own["cost"] == 1.0


def test_without_other_plans(report: Report) -> None:
    assert len(data_of(report("--plans"))["plans"]) == 1


def test_a_second_plan_is_compared_on_the_examples_held_out(
    report: Report, plan_path: Path
) -> None:
    page = report("--against", str(plan_path))
    n_held_out = sum(map(len, INTENTS.values())) - 1
    assert f"Both answered {n_held_out} examples, each answered by bots" in page
    for row in data_of(page)["differences"]:
        assert row["before"] != row["after"]


def test_a_bot_differs_in_nothing_from_itself(report: Report) -> None:
    page = report("--against", "off")
    assert data_of(page)["differences"] == []
    assert "0.0% of the answers differ" in page


def test_the_log_is_compared_as_often_as_it_was_sent(report: Report, more: List[str]) -> None:
    assert f"Both answered {len(LOG)} messages of the log" in report(*more)


@pytest.mark.parametrize(
    ("texts", "shown", "hidden"),
    [
        ("all", ["money back", "where is my parcel", "secretly refund me", LOG[0]], []),
        ("training", ["where is my parcel"], ["secretly refund me", "secret parcel", LOG[0]]),
        ("none", [], ["my parcel", "money back", "secretly", LOG[0], "nearest example:</"]),
    ],
)
def test_messages_that_are_not_to_be_seen_are_not_in_the_file(
    texts: str, shown: List[str], hidden: List[str], report: Report, more: List[str]
) -> None:
    page = html.unescape(report(*more, "--texts", texts))
    assert all(text in page for text in shown)
    assert not any(text in page for text in hidden)
    assert "ask_<wbr>shipping" in page


def test_no_message_at_all_without_texts(report: Report, more: List[str]) -> None:
    page = html.unescape(report(*more, "--texts", "none"))
    every = [*LOG, *(text for texts in (*INTENTS.values(), *TEST.values()) for text in texts)]
    # Shorter ones are words that the page may hold for its own reasons.
    assert [text for text in every if len(text) > 8 and text in page] == []


def test_hostile_messages_stay_text(report: Report, more: List[str]) -> None:
    page = report(*more)
    scripts = re.findall(r"<script[ >]", page)
    # d3, Plot, five of ours and the data; a message adds none.
    assert len(scripts) == 8
    assert "<img" not in page
    assert "\x07" not in page
    assert "\x1b" not in page
    texts = {item["text"] for item in data_of(page)["messages"]}
    assert HOSTILE[0] in texts
    assert HOSTILE[2] in texts  # nothing in it was computed
    assert any("\u2407\u241b[31m" in text for text in texts)


def test_only_the_scripts_of_the_page_may_run(report: Report) -> None:
    page = report()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)
    policy = html.unescape(policy)
    assert policy.startswith("default-src 'none';")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 7
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    # Nothing is named that could be fetched; names of XML are no addresses.
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert "http://" not in own
    assert "https://" not in own


def test_embeddings_are_kept(call: List[str], encoded: List[str]) -> None:
    assert main(call) == 0
    n_first = len(encoded)
    assert main(call) == 0
    # What is timed and what is looked into is encoded every time, through other ways.
    again = encoded[n_first:]
    assert len(again) < n_first


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--test", "missing.yml"], "--test: there is no file or folder 'missing.yml'"),
        (["--log", "missing.txt"], "--log: there is no file or folder 'missing.txt'"),
        (["--prune", "ligt"], "no plan 'ligt'"),
        (["--plans", "ligt"], "no plan 'ligt'"),
        (["--against", "balancd"], "'balancd' is no trained model, plan or encoder"),
        (["--against", "old.tar.gz"], "there is no trained model at 'old.tar.gz'"),
        (["--polite", "Guten Tag"], "--polite must hold {}, where the message goes"),
        (["--oos-intents", "helo"], "no example of 'helo'. Did you mean 'hello'?"),
        (["--oos-intents", *INTENTS], "are of intents that mean out-of-scope"),
        (["--lexical-weight", "much"], "--lexical-weight must be 'auto' or a number"),
        (["--target-in-scope-rejection", "1"], "must be in [0, 1), got 1.0"),
    ],
)
def test_wrong_input_is_one_clear_line(
    call: List[str], changes: List[str], message: str, refusal: Callable[[List[str]], str]
) -> None:
    assert message in refusal([*call, *changes])


def test_a_file_that_is_no_training_data(
    tmp_path: Path, call: List[str], refusal: Callable[[List[str]], str]
) -> None:
    assert "there is no file or folder" in refusal([call[0], "missing.yml", *call[2:]])
    (tmp_path / "log.txt").write_text("\n\n", encoding="utf-8")
    empty = ["--log", str(tmp_path / "log.txt")]
    assert "holds no message; give one a line" in refusal([*call, *empty])
