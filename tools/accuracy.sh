#!/usr/bin/env bash
# Measures recipes on a model: quantizes it with each and compares the result with the original on
# WikiText-2 and C4. Prints rows of the tables in docs/accuracy.md.
#
#   tools/accuracy.sh --model IN --data DIR --calib FILE [--calib FILE ...] [options]
#     --window N        tokens of a window, and of a calibration sequence      (2048)
#     --sequence N      tokens of a calibration sequence, if others            (--window)
#     --recipes LIST    names or files, e.g. "rtn gptq fast"                   (rtn gptq awq fast)
#     --bits LIST       e.g. "4 3"                                             (4)
#     --seeds LIST      e.g. "0 1 2"                                           (0)
#     --windows N       at most so many windows of each text                   (all; C4: 256)
#     --c4-windows N    at most so many windows of C4, if others               (--windows)
#     --label NAME      of the rows, and in the names of what is kept          (the recipe's)
#     --set KEY=VALUE   of each recipe; repeatable
#
# DIR holds the texts as eval-ppl --data-dir expects them. All JSON is kept in build/accuracy.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
source "$here/tools/figures.sh"

program=${PAROQUANT:-$here/build/release/paroquant}
model='' data='' window=2048 sequence='' windows='' c4_windows=''
recipes='rtn gptq awq fast' bits=4 seeds=0 label='' calib=() settings=()
while [[ $# -gt 1 ]]; do
  case $1 in
    --model) model=$2 ;;
    --data) data=$2 ;;
    --calib) calib+=(--calib "$2") ;;
    --window) window=$2 ;;
    --sequence) sequence=$2 ;;
    --recipes) recipes=$2 ;;
    --bits) bits=$2 ;;
    --seeds) seeds=$2 ;;
    --windows) windows=$2 ;;
    --c4-windows) c4_windows=$2 ;;
    --label) label=$2 ;;
    --set) settings+=(--set "$2") ;;
    *) break ;;
  esac
  shift 2
done
if [[ $# -gt 0 || -z $model || -z $data || ${#calib[@]} -eq 0 ]]; then
  sed -n '2,/^set/{/^#/p}' "$0" >&2
  exit 2
fi

# evaluate DATASET FOLDER WINDOWS: the result's JSON beside the folder.
evaluate() {
  "$program" eval-ppl --model "$2" --baseline "$model" --data "$1" --data-dir "$data" \
    --window "$window" ${3:+--max-windows "$3"} --json "$2.$1.json" \
    --no-progress > /dev/null
}

# figures FILE: KL x 1000, perplexity, its paired change and top-1 agreement.
figures() {
  printf ' %s ± %s | %s | %s ± %s | %s |' \
    "$(round %.2f "$(number "$1" kl_divergence)" 1000)" \
    "$(round %.2f "$(number "$1" kl_divergence_stderr)" 1000)" \
    "$(round %.3f "$(number "$1" perplexity)")" \
    "$(round %+.4f "$(number "$1" delta_nll)")" \
    "$(round %.4f "$(number "$1" delta_nll_stderr)")" \
    "$(round '%.1f %%' "$(number "$1" top1_agreement)" 100)"
}

# measure RECIPE BITS SEED: one row.
measure() {
  local name out
  name=${label:-$(basename "$1" .json)}
  out=$here/build/accuracy/$(basename "$model")-$name-$2bit-seed$3
  mkdir -p "$(dirname "$out")"
  "$program" quantize --model "$model" --out "$out" --overwrite --recipe "$1" --bits "$2" \
    --seed "$3" --sequence-length "${sequence:-$window}" "${calib[@]}" "${settings[@]}" \
    --json "$out.json" --no-progress > /dev/null
  evaluate wikitext2 "$out" "$windows"
  evaluate c4 "$out" "${c4_windows:-$windows}"
  printf '| %s | %s | %s | %s |%s%s %s | %s |\n' "$name" "$2" "$3" \
    "$(round %.2f "$(number "$out.json" bits_per_weight)")" \
    "$(figures "$out.wikitext2.json")" "$(figures "$out.c4.json")" \
    "$(round %.0f "$(number "$out.json" seconds)")" \
    "$(round %.0f "$(number "$out.json" peak_rss_bytes)" 1e-6)"
}

echo '| recipe | bits | seed | bits/weight | WikiText-2 KL x 1000 | perplexity | change of NLL | top-1 | C4 KL x 1000 | perplexity | change of NLL | top-1 | s | MB |'
echo '|---|---|---|---|---|---|---|---|---|---|---|---|---|---|'
for recipe in $recipes; do
  for width in $bits; do
    for seed in $seeds; do measure "$recipe" "$width" "$seed"; done
  done
done
