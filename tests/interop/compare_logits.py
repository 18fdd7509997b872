#!/usr/bin/env python3
"""Loads checkpoints in one engine and compares its logits with those of paroquant's own runtime.

A checkpoint is a folder MODEL/NAME. Beside it lie MODEL/NAME.safetensors, its logits from paroquant
eval-ppl --save-logits; MODEL/source.safetensors, those of the 16-bit model that it was made from;
and MODEL/ids.json, the token ids of both. Prints a row of docs/interop.md's table for each. Exits
with 1 if an outcome is another than the expected one.
"""

import argparse
import contextlib
import json
import os
import sys
import traceback
from importlib.metadata import version
from pathlib import Path

import numpy as np
from engines import ENGINES, Engine
from safetensors.numpy import load_file

OUTCOMES = ("ok", "differs", "refused")
# Of the logits' range. Engines compute in 16 bits, which costs up to 0.02; what a layout read in
# another way costs, the row of an engine that does so shows: 0.6.
TOLERANCE = 0.03


def log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits.astype(np.float64)
    logits -= logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def divergence(reference: np.ndarray, other: np.ndarray) -> float:
    """KL divergence in nats, mean over the tokens."""
    p, q = log_softmax(reference), log_softmax(other)
    return float((np.exp(p) * (p - q)).sum(axis=-1).mean())


def relative_difference(reference: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(reference - other).max() / (reference.max() - reference.min()))


def first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:160].replace("|", "/")


def saved_logits(checkpoint: Path, name: str) -> np.ndarray:
    return load_file(checkpoint.with_name(name + ".safetensors"))["logits"]


def compare(engine: Engine, checkpoint: Path) -> tuple[str, str]:
    """The outcome, and its figures as cells: largest difference, divergence, that of quantizing."""
    ours = saved_logits(checkpoint, checkpoint.name)
    cost = divergence(saved_logits(checkpoint, "source"), ours)
    ids = json.loads(checkpoint.with_name("ids.json").read_text())["input_ids"][: len(ours)]
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for rows, not for banners
            theirs = engine.logits(checkpoint, ids)
    except Exception as error:  # whatever an engine throws is the finding
        traceback.print_exc()
        return "refused", f"{first_line(error)} | | {cost:.1e}"
    difference = relative_difference(ours, theirs)
    outcome = "ok" if difference < TOLERANCE else "differs"
    return outcome, f"{difference:.1e} | {divergence(ours, theirs):.1e} | {cost:.1e}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--expect", choices=OUTCOMES, default="ok")
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    args = parser.parse_args()
    engine = ENGINES[args.engine]
    packages = ", ".join(f"{name} {version(name)}" for name in engine.packages)
    surprises = 0
    for checkpoint in args.checkpoints:
        outcome, figures = compare(engine, checkpoint)
        surprises += outcome != args.expect
        note = "" if outcome == args.expect else f" (EXPECTED: {args.expect})"
        label = f"{checkpoint.parent.name}/{checkpoint.name}"
        row = f"| {args.engine} | {label} | {outcome}{note} | {figures} | {packages} |\n"
        os.write(1, row.encode())  # not print: engines replace sys.stdout
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
