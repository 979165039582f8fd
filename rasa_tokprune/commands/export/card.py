"""The model card of an exported checkpoint: what it is made of, and under which licences."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, Optional

from huggingface_hub import ModelCard, ModelCardData

from rasa_tokprune import __version__
from rasa_tokprune.commands.output import write_text
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.adapters.resolve import shipped_card
from rasa_tokprune.encoder.checkpoint.copies import BASE_CARD
from rasa_tokprune.encoder.pruned_checkpoint import ADAPTER_CARD, PrunedCheckpoint

CARD = "README.md"
_TAGS = ["sentence-transformers", "feature-extraction", "sentence-similarity"]


def write_card(out: Path, model: str, found: PrunedCheckpoint) -> None:
    """Writes `README.md`, and for an adapter of this package its card, `ADAPTER.md`.

    Args:
        out: The exported folder, the base model's own card already in it.
        model: The base model as the user named it.
        found: What was exported.

    Raises:
        ConfigError: If a file cannot be written.
    """
    is_folder = Path(model).expanduser().is_dir()
    name = Path(model).expanduser().resolve().name if is_folder else model
    about = _about_base(out)
    data = ModelCardData(
        base_model=None if is_folder else model,
        language=about.language,
        license=about.license,
        license_name=about.get("license_name"),
        license_link=about.get("license_link"),
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        tags=_TAGS,
    )
    card = shipped_card(found.adapter) if found.adapter is not None else None
    if card is not None:
        write_text(card, out / ADAPTER_CARD)
    lines = [
        *_head(name, found),
        *_provenance(name, found),
        *_licences(name, about.license, found.adapter, has_card=card is not None),
    ]
    text = "\n".join(lines)
    write_text(f"---\n{data.to_yaml()}\n---\n\n{text}\n", out / CARD)


def _about_base(out: Path) -> ModelCardData:
    """Returns what the base model's card says in its head; nothing if it has none."""
    try:
        data: ModelCardData = ModelCard.load(out / BASE_CARD).data
    except Exception:  # no card, or a head that is not YAML: the library's many errors
        return ModelCardData()
    return data


def _head(name: str, found: PrunedCheckpoint) -> Iterator[str]:
    plan, adapter = found.plan, found.adapter
    kept = plan.kept_layers or ()
    changed = f", adapter `{adapter.name}` merged in" if adapter is not None else ""
    yield f"# {name}{changed}"
    yield ""
    yield f"The weights of {name}{changed}, written by `rasa-tokprune export`."
    yield "An ordinary checkpoint of sentence-transformers and transformers: no token is pruned."
    yield ""
    if len(kept) < plan.n_layers:
        numbers = ", ".join(map(str, kept))
        yield f"- Of the {plan.n_layers} layers it has these, numbered anew: {numbers}."
    if plan.drop_end:
        yield f"- Plan `{plan.name}` drops punctuation at the end of a text; this model reads it."
    yield "- All numbers are float32."
    yield "- It is another model than the original: adapters made for that one do not fit it."
    yield ""
    yield "```python"
    yield "from sentence_transformers import SentenceTransformer"
    yield ""
    yield 'model = SentenceTransformer("this folder, or where it was uploaded")'
    yield 'embeddings = model.encode(["where is my parcel?"])'
    yield "```"
    yield ""


def _provenance(name: str, found: PrunedCheckpoint) -> Iterator[str]:
    yield "## Made of"
    yield ""
    yield f"- base model: {name}, identity {found.identity}"
    yield f"- plan: {found.plan.name}, its token pruning left out"
    if found.adapter is not None:
        yield f"- adapter: {found.adapter.name}, identity {found.adapter.identity}"
        for key, value in found.adapter.provenance.items():
            yield f"- adapter, {key}: {' '.join(str(value).split())}"
    yield f"- written by: rasa-tokprune {__version__}"
    yield ""


def _licences(
    name: str, licence: Optional[str], adapter: Optional[Adapter], *, has_card: bool
) -> Iterator[str]:
    yield "## Licence and attribution"
    yield ""
    yield f"- {name}: {licence or 'its files name no licence; ask its authors'}."
    yield f"  Its own model card, if it came with one, is `{BASE_CARD}`."
    if adapter is not None:
        own = adapter.provenance.get("licence", "not stated")
        yield f"- adapter {adapter.name}: {own}. It has changed the weights of the base model."
    if has_card:
        yield f"  What it was trained on, with attributions: `{ADAPTER_CARD}`."
