"""Maps safetensors files into memory: tensors are read when they are used, not before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Tuple

import numpy as np
from safetensors import SafetensorError, safe_open  # type: ignore[attr-defined]

from rasa_tokprune.errors import CheckpointError

_LENGTH_BYTES = 8
# bfloat16 is the upper half of a float32 and has no numpy type of its own.
_BFLOAT16 = np.dtype("<u2")
_TYPES: Dict[str, Any] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": _BFLOAT16,
    "U8": np.dtype("u1"),
}
_NAMES = {np.dtype("<f4"): "F32", np.dtype("u1"): "U8"}
# Packed weights are read 64 bytes at a time.
_ALIGNMENT = 64


class TensorFile(Mapping[str, np.ndarray]):
    """The tensors of a file by name: floating-point ones as float32, and bytes.

    float32 tensors and bytes stay in the file; others are converted each time they are asked for.
    """

    def __init__(self, data: np.ndarray, entries: Dict[str, Dict[str, Any]]) -> None:
        """Holds the mapped data and what the header says of each tensor."""
        self._data, self._entries = data, entries

    def __getitem__(self, name: str) -> np.ndarray:
        """Returns one tensor."""
        return _array(self._data, self._entries[name])

    def __iter__(self) -> Iterator[str]:
        """Yields the names."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Returns the number of tensors."""
        return len(self._entries)


def map_tensors(path: Path) -> TensorFile:
    """Maps the tensors of a safetensors file; those of other types are left out.

    Raises:
        CheckpointError: If the file is not a whole safetensors file.
    """
    try:
        safe_open(str(path), framework="np")  # the library checks header and size
        with path.open("rb") as file:
            n_header = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            header: Dict[str, Any] = json.loads(file.read(n_header))
        # Copy on write: torch asks for writable memory, nobody writes.
        data = np.memmap(path, np.uint8, mode="c", offset=_LENGTH_BYTES + n_header)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"'{path}' is not a readable safetensors file ({error}); "
            f"it may be truncated, fetch it again"
        ) from error
    header.pop("__metadata__", None)
    return TensorFile(data, {k: entry for k, entry in header.items() if entry["dtype"] in _TYPES})


def read_with_metadata(path: Path) -> Tuple[Dict[str, np.ndarray], Dict[str, str]]:
    """Returns the tensors of a safetensors file as they are, and what its header says of it.

    Raises:
        CheckpointError: If the file is not a whole safetensors file.
    """
    try:
        with safe_open(str(path), framework="np") as file:  # type: ignore[attr-defined]
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"'{path}' is not a readable safetensors file ({error})") from error


def serialize_tensors(tensors: Dict[str, np.ndarray]) -> bytes:
    """Returns float32 and uint8 arrays as a safetensors file whose data starts on 64 bytes."""
    header: Dict[str, Any] = {}
    end = 0
    for name, array in tensors.items():
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + _LENGTH_BYTES) % _ALIGNMENT)
    length = len(text).to_bytes(_LENGTH_BYTES, "little")
    return b"".join([length, text, *(array.tobytes() for array in tensors.values())])


def _array(data: np.ndarray, entry: Dict[str, Any]) -> np.ndarray:
    start, end = entry["data_offsets"]
    raw = np.asarray(data[start:end]).view(_TYPES[entry["dtype"]]).reshape(entry["shape"])
    if entry["dtype"] == "BF16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    if entry["dtype"] == "U8":
        return raw
    return raw.astype(np.float32, copy=False)
