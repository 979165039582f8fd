"""`rasa-tokprune export`: plain sentence-transformers gets the adapted encoder, un-pruned."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Callable, List, Optional, Sequence

import numpy as np
import pytest
from huggingface_hub import ModelCard
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from transformers import AutoModel

from rasa_tokprune.cli import main
from rasa_tokprune.encoder import PruningPlan, load_encoder, shipped_plans
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.checkpoint.modules import read_json
from rasa_tokprune.errors import AdapterMisfitError
from tests.adapters import random_adapter
from tests.checkpoints import ARCHITECTURES, N_LAYERS, write_json
from tests.plans import TEXTS
from tests.real_data import real_sentences

PRUNING = PruningPlan(N_LAYERS, (0, 0.4, 0, 0), name="pruning")
SKIPPING = PruningPlan(N_LAYERS, (0.4, 0, 0, 0), kept_layers=(0, 2, 3), name="skipping")
Refuse = Callable[[Sequence[str]], str]


def export(
    model: Path, out: Path, plan: Optional[PruningPlan] = None, adapter: Optional[Adapter] = None
) -> Path:
    """Runs the command with files of plan and adapter; returns the folder it wrote."""
    given = out.parent / f"given-{out.name}"
    given.mkdir()
    arguments = ["export", "--model", str(model), "--out", str(out)]
    if plan is not None:
        plan.save(given / "plan.json")
        arguments += ["--prune", str(given / "plan.json")]
    if adapter is not None:
        adapter.save(given / "adapter.safetensors")
        arguments += ["--adapter", str(given / "adapter.safetensors")]
    assert main(arguments) == 0
    return out


@pytest.mark.parametrize("plan", [PRUNING, SKIPPING], ids=lambda plan: plan.name)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_plain_libraries_load_what_the_encoder_computes(
    checkpoint: Callable[[str], Path], architecture: str, plan: PruningPlan, tmp_path: Path
) -> None:
    folder = checkpoint(architecture)
    adapter = random_adapter(folder, plan.kept_layers)
    out = export(folder, tmp_path / "out", plan, adapter)
    expected = load_encoder(str(folder), prune=plan.without_pruning, adapter=adapter).encode(TEXTS)
    # Adapter and skipped layers matter here.
    assert np.abs(expected - load_encoder(str(folder)).encode(TEXTS)).max() > 0.01
    plain = SentenceTransformer(str(out), device="cpu")
    np.testing.assert_allclose(plain.encode(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(load_encoder(str(out)).encode(TEXTS), expected, atol=1e-5)
    _, found = AutoModel.from_pretrained(str(out), output_loading_info=True)
    # The tiny checkpoints have no pooler; nothing else is missing, and nothing is left over.
    assert {name.split(".")[0] for name in found["missing_keys"]} <= {"pooler"}
    assert not found["unexpected_keys"]
    assert not found["mismatched_keys"]
    n_kept = len(plan.kept_layers or ())
    assert read_json(out / "config.json")["num_hidden_layers"] == n_kept
    names = [name for name in load_file(str(out / "model.safetensors")) if "layer." in name]
    layers = {name.split(".")[2] for name in names}
    assert layers == set(map(str, range(n_kept)))


def test_pruned_it_is_the_pruned_original(tiny_bert: Path, tmp_path: Path) -> None:
    adapter = random_adapter(tiny_bert)
    out = export(tiny_bert, tmp_path / "out", PRUNING, adapter)
    expected = load_encoder(str(tiny_bert), prune=PRUNING, adapter=adapter).encode(TEXTS)
    found = load_encoder(str(out), prune=PRUNING).encode(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_adapter_does_not_fit_twice(tiny_bert: Path, tmp_path: Path) -> None:
    adapter = random_adapter(tiny_bert)
    out = export(tiny_bert, tmp_path / "out", PRUNING, adapter)
    with pytest.raises(AdapterMisfitError, match="was trained for another encoder"):
        load_encoder(str(out), adapter=adapter)


def test_layers_alone_can_be_left_out(tiny_bert: Path, tmp_path: Path) -> None:
    out = export(tiny_bert, tmp_path / "out", SKIPPING)
    original = load_file(str(tiny_bert / "model.safetensors"))
    written = load_file(str(out / "model.safetensors"))
    for new, old in enumerate((0, 2, 3)):
        for name in ("attention.self.key.weight", "output.LayerNorm.bias"):
            np.testing.assert_array_equal(
                written[f"encoder.layer.{new}.{name}"], original[f"encoder.layer.{old}.{name}"]
            )
    assert f"encoder.layer.{N_LAYERS - 1}.output.LayerNorm.bias" not in written


def with_prefix(folder: Path) -> None:
    file = folder / "model.safetensors"
    weights = {f"bert.{name}": tensor for name, tensor in load_file(str(file)).items()}
    weights["cls.encoder.layer.0.bias"] = np.ones(1, dtype=np.float32)
    save_file(weights, str(file), {"format": "pt"})


def in_half_precision(folder: Path) -> None:
    file = folder / "model.safetensors"
    weights = {name: tensor.astype(np.float16) for name, tensor in load_file(str(file)).items()}
    save_file(weights, str(file), {"format": "pt"})
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", {**config, "torch_dtype": "float16"})


def with_old_names(folder: Path) -> None:
    file = folder / "model.safetensors"
    weights = {
        name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): tensor
        for name, tensor in load_file(str(file)).items()
    }
    save_file(weights, str(file), {"format": "pt"})


def in_shards(folder: Path) -> None:
    weights = load_file(str(folder / "model.safetensors"))
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    shards = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for shard, own in shards.items():
        save_file({name: weights[name] for name in own}, str(folder / shard), {"format": "pt"})
    index = {name: shard for shard, own in shards.items() for name in own}
    write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": index})


def in_a_sub_folder(folder: Path) -> None:
    (folder / "0_Transformer").mkdir()
    for path in folder.glob("*.*"):
        if path.name != "modules.json":
            shutil.move(path, folder / "0_Transformer" / path.name)
    modules = read_json(folder / "modules.json")
    modules[0]["path"] = "0_Transformer"
    write_json(folder / "modules.json", modules)


@pytest.mark.parametrize(
    "change", [with_prefix, in_half_precision, with_old_names, in_shards, in_a_sub_folder]
)
def test_checkpoints_of_every_layout(
    new_checkpoint: Callable[..., Path], change: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = new_checkpoint()
    change(folder)
    adapter = random_adapter(folder, SKIPPING.kept_layers)
    out = export(folder, tmp_path / "out", SKIPPING, adapter)
    plan = SKIPPING.without_pruning
    expected = load_encoder(str(folder), prune=plan, adapter=adapter).encode(TEXTS)
    plain = SentenceTransformer(str(out), device="cpu")
    np.testing.assert_allclose(plain.encode(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(load_encoder(str(out)).encode(TEXTS), expected, atol=1e-5)
    if change is with_prefix:
        # What looks like a layer elsewhere is not one of the encoder's.
        assert "cls.encoder.layer.0.bias" in load_file(str(out / "model.safetensors"))


def test_the_card_says_what_it_is_made_of(
    new_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    folder = new_checkpoint()
    (folder / "README.md").write_text("---\nlicense: mit\nlanguage: en\n---\nThe base model.\n")
    (folder / "NOTICE").write_text("Copyright: its authors.")
    config = {**read_json(folder / "config.json"), "_name_or_path": str(folder)}
    write_json(folder / "config.json", config)
    plan = PruningPlan(N_LAYERS, (0.4, 0, 0, 0), kept_layers=(0, 3), drop_end=True, name="ended")
    adapter = random_adapter(folder, (0, 3))
    out = export(folder, tmp_path / "out", plan, adapter)
    card = ModelCard.load(out / "README.md")
    assert card.data.license == "mit"
    assert card.data.language == "en"
    assert card.data.library_name == "sentence-transformers"
    assert card.data.base_model is None  # a folder of this machine is nobody else's model
    for said in (
        f"- adapter: random, identity {adapter.identity}",
        "- adapter, licence: Apache-2.0",
        "- adapter, data: none; random",
        "Of the 4 layers it has these, numbered anew: 0, 3.",
        "Plan `ended` drops punctuation",
        f"- {folder.name}: mit.",
        "- adapter random: Apache-2.0. It has changed the weights",
    ):
        assert said in card.text
    assert "The base model." in (out / "README.base.md").read_text()
    assert (out / "NOTICE").read_text() == "Copyright: its authors."
    for path in out.rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes(), path


def test_what_is_written_is_said(
    tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = export(tiny_bert, tmp_path / "out", SKIPPING, random_adapter(tiny_bert))
    said = capsys.readouterr().out
    assert said.startswith("3 of 4 layers, adapter 'random' merged in, ")
    assert said.endswith(f"{out}\n")


def test_an_empty_folder_will_do(tiny_bert: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    out = export(tiny_bert, tmp_path / "out", SKIPPING)
    assert (out / "model.safetensors").is_file()


@pytest.fixture
def arguments(tiny_bert: Path, tmp_path: Path) -> List[str]:
    return ["export", "--model", str(tiny_bert), "--out", str(tmp_path / "out")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([], "--prune or --adapter is missing"),
        (["--adapter", "off"], "--prune or --adapter is missing"),
        (["--prune", "off"], "nothing to write: plan 'off' without an adapter"),
        (["--prune", "gentle"], "plan 'gentle' exists for encoders with 12, 24, 6 layers, but"),
        (["--adapter", "light"], "adapter 'light' was trained for another encoder"),
        (["--adapter", "lihgt"], "no adapter 'lihgt'. Did you mean 'light'"),
        (["--prune", "off", "--adapter", "none.safetensors"], "'none.safetensors' is not a"),
        (["--model", "./nowhere", "--prune", "off"], "model folder './nowhere' does not exist"),
    ],
)
def test_wrong_input_is_one_clear_line(
    arguments: List[str], changes: List[str], message: str, refusal: Refuse, tmp_path: Path
) -> None:
    assert message in refusal([*arguments, *changes])
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(
    arguments: List[str], refusal: Refuse, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    line = refusal([*arguments, "--prune", "off"])
    assert f"folder '{tmp_path / 'out'}' is not empty; give a new one, or empty it" in line
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_file_is_no_folder(arguments: List[str], refusal: Refuse, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    SKIPPING.save(tmp_path / "plan.json")
    line = refusal([*arguments, "--prune", str(tmp_path / "plan.json")])
    assert f"--out: cannot write to '{tmp_path / 'out'}'" in line


def test_an_adapter_of_some_layers_needs_its_plan(
    arguments: List[str], tiny_bert: Path, refusal: Refuse, tmp_path: Path
) -> None:
    random_adapter(tiny_bert, (0, 2, 3)).save(tmp_path / "own.safetensors")
    given = [*arguments, "--adapter", str(tmp_path / "own.safetensors")]
    assert "changes layers 0, 2, 3 of 4 only" in refusal(given)
    assert main([*given, "--prune", "off"]) == 0


def test_an_adapter_of_all_layers_needs_none(
    arguments: List[str], tiny_bert: Path, tmp_path: Path
) -> None:
    random_adapter(tiny_bert).save(tmp_path / "own.safetensors")
    assert main([*arguments, "--adapter", str(tmp_path / "own.safetensors")]) == 0
    assert read_json(tmp_path / "out" / "config.json")["num_hidden_layers"] == N_LAYERS


def test_damaged_weights_are_one_clear_line(
    new_checkpoint: Callable[..., Path], refusal: Refuse, tmp_path: Path
) -> None:
    folder = new_checkpoint()
    SKIPPING.save(tmp_path / "plan.json")
    (folder / "model.safetensors").write_bytes(b"no weights")
    line = refusal(
        ["export", "--model", str(folder), "--prune", str(tmp_path / "plan.json"), "--out", "out"]
    )
    assert "is not a readable safetensors file" in line


@pytest.mark.slow
@pytest.mark.parametrize(("given", "n_layers"), [("light", 6), ("balanced", 4), ("fast", 3)])
def test_the_real_model(given: str, n_layers: int, tmp_path: Path) -> None:
    texts = real_sentences(100)
    # A shipped adapter brings the layers of its plan.
    for option in ("--prune", "--adapter"):
        out = tmp_path / option[2:]
        assert main(["export", option, given, "--out", str(out)]) == 0
    one, other = (tmp_path / name / "model.safetensors" for name in ("prune", "adapter"))
    assert one.read_bytes() == other.read_bytes()
    (plan,) = shipped_plans()[given]
    encoder = load_encoder(prune=plan.without_pruning, adapter=given)
    plain = SentenceTransformer(str(out), device="cpu")
    for found in (plain, load_encoder(str(out))):
        np.testing.assert_allclose(found.encode(texts), encoder.encode(texts), atol=1e-5)
    assert read_json(out / "config.json")["num_hidden_layers"] == n_layers
    with pytest.raises(AdapterMisfitError, match="was trained for another encoder"):
        load_encoder(str(out), adapter="light")
    card = ModelCard.load(out / "README.md")
    assert card.data.license == "apache-2.0"
    assert card.data.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    assert "WordNet" in (out / "ADAPTER.md").read_text(encoding="utf-8")
