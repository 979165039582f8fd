"""One folder of prepared graphs for each checkpoint."""

from __future__ import annotations

import hashlib
from pathlib import Path


def graph_folder(work: Path, checkpoint: Path) -> Path:
    """Returns the folder for a checkpoint's graphs, made if it is missing.

    It is named after the checkpoint's configuration and weights, wherever they lie.
    """
    from rasa_tokprune.encoder.checkpoint import file_sha256
    from rasa_tokprune.encoder.modules import transformer_folder
    from rasa_tokprune.encoder.weights import weight_files

    base = transformer_folder(checkpoint)
    files = [base / "config.json", *weight_files(base)]
    digest = hashlib.sha256("\n".join(file_sha256(path) for path in files).encode())
    folder = work / "graphs" / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
