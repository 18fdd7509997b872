#!/usr/bin/env python3
"""Writes a small random model of each family, as transformers itself saves it, with sizes that every
engine's kernels take: groups of 128 divide all inputs, and 32 all outputs."""

import sys
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

SIZES = {
    "hidden_size": 256,
    "intermediate_size": 384,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "vocab_size": 512,
    "max_position_embeddings": 512,
    "initializer_range": 0.08,  # large enough that attention is not uniform
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
EXPERTS = {"num_experts_per_tok": 2, "num_local_experts": 4}
# What differs from SIZES. Multipliers and the like keep the family's own defaults.
FAMILIES = {
    "gemma": {},
    "gemma2": {"query_pre_attn_scalar": 64, "sliding_window": 16},
    "gemma3_text": {"query_pre_attn_scalar": 64, "sliding_window": 16},
    "granite": {},
    "llama": {"attention_bias": True, "mlp_bias": True},
    "mistral": {"sliding_window": 16},
    "mixtral": EXPERTS,
    "olmo2": {},
    "phi3": {},
    "qwen2": {},
    "qwen3": {"tie_word_embeddings": True},
    "qwen3_moe": {"num_experts_per_tok": 2, "num_experts": 4, "moe_intermediate_size": 128},
    "smollm3": {},
}


def make(family: str, folder: Path) -> None:
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, **(SIZES | FAMILIES[family]))
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float16)
    for name, parameter in model.named_parameters():  # those that start as zeros or ones
        if name.endswith("bias") or "norm" in name:
            parameter.data += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(folder)


if __name__ == "__main__":
    for family in FAMILIES:
        make(family, Path(sys.argv[1]) / family)
