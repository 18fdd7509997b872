#!/usr/bin/env bash
# Prints how the time and the peak memory of `quantize --recipe fast` grow with calibration tokens
# and with layers, on a synthetic model of 29M parameters' shape. The programs are those of
# build/release, built with -DPAROQUANT_BUILD_BENCH=ON.
#
#   bench/growth.sh TEXT
#     TEXT   a calibration file of some megabytes
#
# Let nothing else run meanwhile.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
source "$here/tools/figures.sh"
if [[ $# -ne 1 || ! -r $1 ]]; then
  sed -n '2,/^set/{/^#/p}' "$0" >&2
  exit 2
fi
text=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# row LAYERS SEQUENCES: a run on sequences of 512 tokens.
row() {
  local model=$work/$1
  if [[ ! -d $model ]]; then
    "$here/build/release/synthetic-model" --shape llama-29m --layers "$1" --out "$model"
    cp "$here/tests/data/tiny-llama/tokenizer.json" "$model"
  fi
  "$here/build/release/paroquant" quantize --model "$model" --out "$work/out" --overwrite \
    --calib "$text" --calib-sequences "$2" --sequence-length 512 --json "$work/run.json" \
    --no-progress --quiet
  printf '| %s | %s | %s | %s |\n' "$1" "$((512 * $2))" \
    "$(round %.1f "$(number "$work/run.json" seconds)")" \
    "$(round %.0f "$(number "$work/run.json" peak_rss_bytes)" 1e-6)"
}

echo '| layers | tokens | s | MB |'
echo '|---|---|---|---|'
for sequences in 16 32 64 128; do row 2 "$sequences"; done
for layers in 4 8 16; do row "$layers" 16; done
