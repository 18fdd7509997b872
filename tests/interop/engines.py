"""How each engine loads a checkpoint on the CPU and computes logits.

An engine is a function from a checkpoint folder and token ids to logits [T, V]. It loads through the
engine's own public entry point. Two engines have a kernel that exists for a GPU only; that kernel,
and nothing else, is replaced by its definition in docs/formats.md.

Packages are imported where they are used: every environment has only those of its engines.
"""

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

Logits = Callable[[Path, list[int]], np.ndarray]


@dataclass(frozen=True)
class Engine:
    packages: tuple[str, ...]  # whose versions identify it
    logits: Logits


def torch_logits(model, ids: list[int]) -> np.ndarray:
    import torch

    model.eval()
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids])).logits[0].float().numpy()


def load_with_transformers(folder: Path, **options):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, device_map="cpu", **options)


def transformers_float32(folder: Path, ids: list[int]) -> np.ndarray:
    import torch

    return torch_logits(load_with_transformers(folder, dtype=torch.float32), ids)


def transformers_float16(folder: Path, ids: list[int]) -> np.ndarray:
    import torch

    return torch_logits(load_with_transformers(folder, dtype=torch.float16), ids)


def transformers_dequantize(folder: Path, ids: list[int]) -> np.ndarray:
    import torch
    from transformers import CompressedTensorsConfig

    options = CompressedTensorsConfig(dequantize=True)
    model = load_with_transformers(folder, dtype=torch.float32, quantization_config=options)
    return torch_logits(model, ids)


def gptqmodel(folder: Path, ids: list[int]) -> np.ndarray:
    import torch
    from gptqmodel import GPTQModel

    loaded = GPTQModel.load(str(folder), device="cpu", dtype=torch.float16)
    return torch_logits(loaded.model, ids)


def restore_activation() -> None:
    """AutoAWQ imports a name that transformers dropped in 4.55; paroquant restores it the same way."""
    import transformers.activations as activations

    if not hasattr(activations, "PytorchGELUTanh"):
        activations.PytorchGELUTanh = activations.GELUActivation


def autoawq(folder: Path, ids: list[int]) -> np.ndarray:
    restore_activation()
    from awq import AutoAWQForCausalLM

    loaded = AutoAWQForCausalLM.from_quantized(
        str(folder), fuse_layers=False, use_ipex=True, device_map={"": "cpu"}
    )
    return torch_logits(loaded.model, ids)


def rotate(x, pairs, theta, scales=None, group_size=128):
    """What paroquant's CUDA kernel computes, in torch: docs/formats.md, "To run a layer"."""
    import torch

    shape = x.shape
    x = x.float().reshape(-1, shape[-1])
    if scales is not None:
        x = x * scales.float()
    start = torch.arange(0, shape[-1], group_size).repeat_interleave(group_size // 2)
    for round_pairs, angles in zip(pairs.long(), theta.float()):
        i, j = start + round_pairs[0::2], start + round_pairs[1::2]
        cos, sin = angles.cos(), angles.sin()
        xi, xj = x[:, i], x[:, j]
        x = x.clone()
        x[:, i] = cos * xi + sin * xj
        x[:, j] = cos * xj - sin * xi
    return x.reshape(shape).half()


@cache
def replace_cuda() -> None:
    """Puts `rotate` in the place of paroquant's CUDA kernel, and AutoAWQ's torch code in that of Triton."""
    import torch

    # Importing the package of the CUDA kernel would compile it.
    sys.modules["paroquant.kernels.cuda"] = types.ModuleType("paroquant.kernels.cuda")
    schema = "(Tensor x, Tensor pairs, Tensor theta, Tensor? scales=None, int group_size=128) -> Tensor"
    torch.library.custom_op("rotation::rotate", rotate, mutates_args=(), schema=schema)
    from awq.modules.linear import gemm
    from paroquant.inference.backends.transformers import quantizer

    gemm.TRITON_AVAILABLE = False
    quantizer.ParoQuantHfQuantizer.validate_environment = lambda self, **_: None  # demands CUDA


def paroquant_transformers(folder: Path, ids: list[int]) -> np.ndarray:
    import torch

    restore_activation()
    replace_cuda()
    return torch_logits(load_with_transformers(folder, dtype=torch.float16), ids)


def mlx_logits(model, ids: list[int]) -> np.ndarray:
    import mlx.core as mx

    return np.array(model(mx.array([ids]))[0].astype(mx.float32))


def mlx_lm(folder: Path, ids: list[int]) -> np.ndarray:
    from mlx_lm.utils import load_model

    return mlx_logits(load_model(folder)[0], ids)


def mlx_rotate(x, packed_pairs, cos, sin, scales, dim, rounds, group_size):
    """What paroquant's Metal kernel computes, in numpy."""
    import mlx.core as mx

    values = np.array(x.astype(mx.float32)) * np.array(scales.astype(mx.float32))
    packed = np.array(packed_pairs).astype(np.int64)
    start = np.repeat(np.arange(0, dim, group_size), group_size // 2)
    for r in range(rounds):
        i, j = start + (packed[r] & 0xFFFF), start + (packed[r] >> 16)
        c, s = (np.array(a[r].astype(mx.float32)) for a in (cos, sin))
        vi, vj = values[:, i], values[:, j]
        values[:, i], values[:, j] = c * vi + s * vj, c * vj - s * vi
    return mx.array(values).astype(x.dtype)


def paroquant_mlx(folder: Path, ids: list[int]) -> np.ndarray:
    from paroquant.inference.backends.mlx import load, modules

    modules._apply_rotation = mlx_rotate
    load._load_processor = lambda *_: None  # a tokenizer is not needed
    # It quantizes embeddings and head while loading, which is not in the checkpoint.
    load._is_io_layer = lambda *_: False
    return mlx_logits(load.load(str(folder), force_text=True)[0], ids)


ENGINES = {
    "transformers": Engine(("transformers", "torch"), transformers_float32),
    "transformers-gptqmodel": Engine(("transformers", "gptqmodel", "torch"), transformers_float16),
    "transformers-ct": Engine(
        ("transformers", "compressed-tensors", "torch"), transformers_float32
    ),
    "transformers-ct-dequantize": Engine(
        ("transformers", "compressed-tensors", "torch"), transformers_dequantize
    ),
    "gptqmodel": Engine(("gptqmodel", "transformers", "torch"), gptqmodel),
    "autoawq": Engine(
        ("autoawq", "transformers", "intel_extension_for_pytorch", "torch"), autoawq
    ),
    "paroquant-transformers": Engine(
        ("paroquant", "autoawq", "transformers", "torch"), paroquant_transformers
    ),
    "paroquant-mlx": Engine(("paroquant", "mlx", "mlx-lm"), paroquant_mlx),
    "mlx-lm": Engine(("mlx-lm", "mlx"), mlx_lm),
}
