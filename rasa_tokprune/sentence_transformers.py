"""A token-pruned encoder as a module of sentence-transformers.

`SentenceTransformer(modules=[PrunedEncoder(prune="light")])` works wherever a SentenceTransformer
does: `encode`, `similarity`, evaluators, `save_pretrained` and `SentenceTransformer(folder)`.

The module gives out sentence embeddings, not token embeddings for a Pooling behind it. With mode
`drop` pruned tokens take no part in pooling, and the C library pools by itself and hands out no
states; and so only one place says how a checkpoint pools, here and in `load_encoder`. Whatever the
checkpoint has behind its transformer (pooling, dense layers, normalisation) is therefore inside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional, Sequence, Union

from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.backends.choice import choose
from rasa_tokprune.encoder.formats import AUTO, Backend, Precision
from rasa_tokprune.encoder.padded import NAMES, pad, unpad
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.encoder.pruned_checkpoint import SETTINGS, PrunedCheckpoint
from rasa_tokprune.errors import CheckpointError, ConfigError, did_you_mean
from rasa_tokprune.extras import install_hint, require

_NAME = "rasa_tokprune.sentence_transformers"
require("sentence_transformers", _NAME)

import torch  # noqa: E402

try:
    from sentence_transformers.sentence_transformer.modules import InputModule
except ImportError as error:
    raise ConfigError(
        f"{_NAME} needs sentence-transformers 5.4 or later, an earlier one is installed: "
        f"{install_hint('sentence_transformers')} 'sentence-transformers>=5.4'"
    ) from error

_STORED = ("backend", "precision", "max_seq_length")
# What `SentenceTransformer(folder, model_kwargs=...)` may set anew.
_AT_LOAD = ("backend", "precision", "num_threads")
# A batch of sentence-transformers is one forward pass; the encoder bounds its memory itself.
_WHOLE_BATCH = 1 << 30


class PrunedEncoder(InputModule):
    """A checkpoint with a pruning plan and an adapter, computed by this package's `Encoder`.

    Embeddings are those of `load_encoder` with the same settings; with `prune="off"`, in fp32,
    those of the plain checkpoint. No gradients flow through it: adapters are trained with
    `rasa-tokprune adapt`.

    The device is that of the SentenceTransformer. `native`, `onnx` and `int8` compute on the CPU
    wherever it is, as does everything on devices that are neither 'cpu' nor 'cuda'.
    """

    config_file_name = SETTINGS

    def __init__(
        self,
        model: str = "",
        *,
        prune: Union[str, Path, PruningPlan] = OFF,
        adapter: Union[str, Path, Adapter] = AUTO,
        revision: Optional[str] = None,
        cache_dir: Optional[str] = None,
        local_files_only: bool = False,
        backend: str = AUTO,
        precision: str = Precision.FP32.value,
        num_threads: Optional[int] = None,
        max_seq_length: Optional[int] = None,
    ) -> None:
        """Finds and checks everything; weights are loaded when they are first needed.

        Arguments and errors are those of `load_encoder`; `max_seq_length` is its `max_length`.
        """
        super().__init__()
        self._checkpoint = PrunedCheckpoint.find(
            model, prune, adapter, revision, cache_dir, local_files_only
        )
        self._spec = self._checkpoint.spec
        choose(backend, precision, "cpu", self._spec)
        self._backend, self._precision, self._num_threads = backend, precision, num_threads
        self._opened: Optional[Encoder] = None
        own = self._spec.max_seq_length if max_seq_length is None else max_seq_length
        self.max_seq_length = own
        # Without numbers: it says where the SentenceTransformer has moved this module.
        self.place = torch.nn.Parameter(torch.empty(0), requires_grad=False)

    @property
    def encoder(self) -> Encoder:
        """The encoder that computes, on the module's device; opened if need be."""
        device = self._computing_device()
        if self._opened is None or self._opened.model.device != device:
            self._opened = None  # frees the other device first
            self._opened = load_encoder(
                str(self._checkpoint.folder),
                prune=self._checkpoint.plan,
                adapter=self._checkpoint.adapter or OFF,
                device=device,
                backend=self._backend,
                precision=self._precision,
                num_threads=self._num_threads,
                max_length=self._max_seq_length,
                batch_size=_WHOLE_BATCH,
            )
        return self._opened

    def _computing_device(self) -> str:
        place = self.place.device
        runs_on_gpu = self._backend in (AUTO, Backend.TORCH.value)
        if place.type != "cuda" or not runs_on_gpu or self._precision == Precision.INT8.value:
            return "cpu"
        return f"cuda:{torch.cuda.current_device() if place.index is None else place.index}"

    @property
    def max_seq_length(self) -> int:
        """Most tokens of a text, special tokens counted."""
        return self._max_seq_length

    @max_seq_length.setter
    def max_seq_length(self, value: int) -> None:
        if not isinstance(value, int):
            raise ConfigError(f"max_seq_length must be a whole number, got {value!r}")
        self._spec.check_max_length(value)
        self._max_seq_length = value
        self._opened = None

    @property
    def prompts(self) -> Dict[str, str]:
        """The checkpoint's prompts by name, for `SentenceTransformer(..., prompts=...)`.

        Its default prompt, if it has one, is put before every text that comes without a prompt;
        `encode(..., prompt="")` leaves it out.
        """
        return dict(self._spec.prompts)

    def get_embedding_dimension(self) -> int:
        """Returns the width of a sentence embedding."""
        return self.encoder.embedding_size

    def preprocess(
        self, inputs: Sequence[Any], prompt: Optional[str] = None, **kwargs: Any
    ) -> Dict[str, Any]:
        """Returns the tokens of texts, padded on the right.

        Args:
            inputs: Texts.
            prompt: Put before every text; None takes the checkpoint's default prompt, if any.
            kwargs: Not used.

        Returns:
            `input_ids`, `attention_mask` and `special_tokens_mask`, (n_texts, most tokens) int64;
            `prompt_length`: leading tokens that belong to the prompt.

        Raises:
            ConfigError: If an input is not a string, or the prompt leaves no room for text.
        """
        for text in inputs:
            if not isinstance(text, str):
                raise ConfigError(f"inputs must be strings, got {type(text).__name__}: {text!r}")
        tokens = self.encoder.tokenize(list(inputs), prompt)
        arrays = pad(tokens, self._spec.pad_token_id)
        return {
            **{name: torch.from_numpy(array) for name, array in arrays.items()},
            "prompt_length": max((own.n_prompt for own in tokens), default=0),
        }

    def forward(self, features: Dict[str, Any], **kwargs: Any) -> Dict[str, Any]:
        """Adds `sentence_embedding`, (n_texts, embedding_size) float32, to the features."""
        arrays = {name: features[name].cpu().numpy() for name in NAMES}
        tokens = unpad(arrays, int(features.get("prompt_length", 0)))
        embeddings = torch.from_numpy(self.encoder.encode_tokens(tokens))
        return {**features, "sentence_embedding": embeddings.to(features[NAMES[0]].device)}

    def get_config_dict(self) -> Dict[str, Any]:
        """Returns the settings, as JSON; no path of this machine."""
        adapter = self._checkpoint.adapter
        return {
            "plan": self._checkpoint.plan.name,
            "adapter": adapter.name if adapter is not None else None,
            **{name: getattr(self, f"_{name}") for name in _STORED},
        }

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """Writes checkpoint, plan, adapter and settings to a folder: all that `load` needs.

        Weights are safetensors, whatever `safe_serialization` says. `num_threads` is not stored.

        Raises:
            CheckpointError: If a file of the checkpoint is missing, or one cannot be written.
        """
        self._checkpoint.save(Path(output_path), self.get_config_dict())

    @classmethod
    def load(
        cls,
        model_name_or_path: str,
        subfolder: str = "",
        token: Union[bool, str, None] = None,
        cache_folder: Optional[str] = None,
        revision: Optional[str] = None,
        local_files_only: bool = False,
        **kwargs: Any,
    ) -> PrunedEncoder:
        """Opens what `save` wrote; sentence-transformers calls it.

        Arguments are those of `Module.load`. Of the others, `model_kwargs` may hold `backend`,
        `precision` and `num_threads`, instead of those saved.

        Raises:
            CheckpointError: If a file is missing, damaged, or not the one that was saved.
            ConfigError: If a setting cannot work here.
        """
        wanted = _checked_options(**kwargs)
        folder = cls.load_dir_path(
            model_name_or_path, subfolder, token, cache_folder, revision, local_files_only
        )
        if folder is None:
            raise CheckpointError(f"'{model_name_or_path}' has no folder '{subfolder}'")
        checkpoint, settings = PrunedCheckpoint.load(Path(folder), _STORED)
        return cls(
            str(checkpoint.folder),
            prune=checkpoint.plan,
            adapter=checkpoint.adapter or OFF,
            **{**{name: settings[name] for name in _STORED}, **wanted},
        )

    def __getstate__(self) -> Dict[str, Any]:
        # Other processes, and copies, open the encoder themselves.
        return {**self.__dict__, "_opened": None}


def _checked_options(
    model_kwargs: Optional[Dict[str, Any]] = None, backend: str = "torch", **others: Any
) -> Dict[str, Any]:
    """Returns what `model_kwargs` sets; `backend` is that of sentence-transformers' own modules."""
    if backend != "torch":
        raise ConfigError(
            f"backend {backend!r} of SentenceTransformer is for modules of its own; give "
            f"model_kwargs={{'backend': ...}} with 'auto', 'torch', 'onnx' or 'native'"
        )
    for key in model_kwargs or {}:
        if key not in _AT_LOAD:
            raise ConfigError(
                f"model_kwargs: unknown key '{key}'.{did_you_mean(key, _AT_LOAD)} "
                f"Valid keys: {', '.join(_AT_LOAD)}"
            )
    return dict(model_kwargs or {})
