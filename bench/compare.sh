#!/usr/bin/env bash
# Prints how fast this machine and this build are, as ratios: products against the machine's peak and
# Eigen, model folders on one thread and on all, and llama.cpp beside where it is given. The program
# and the benchmarks are those of build/release, built with -DPAROQUANT_BUILD_BENCH=ON.
#
#   bench/compare.sh [--llama BIN --gguf FILE ...] [MODEL ...]
#     MODEL         folders to run, 16-bit or paroquant
#     --llama BIN   the folder with llama-bench
#     --gguf FILE   a model for it; repeatable
#
# Let nothing else run meanwhile.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
source "$here/tools/figures.sh"
bin=$here/build/release/bench

llama='' ggufs=()
while [[ ${1:-} == --* && $# -gt 1 ]]; do
  case $1 in
    --llama) llama=$2 ;;
    --gguf) ggufs+=("$2") ;;
    *) break ;;
  esac
  shift 2
done
if [[ ${1:-} == --* ]]; then
  sed -n '2,/^set/{/^#/p}' "$0" >&2
  exit 2
fi
if [[ ! -x $bin/product_bench || ! -x $bin/runtime_speed ]]; then
  echo "$bin: no benchmarks; build with: cmake --preset release -DPAROQUANT_BUILD_BENCH=ON && cmake --build --preset release" >&2
  exit 1
fi

# products: name, GFLOP/s and part of the peak of each product.
products() {
  "$bin/product_bench" --benchmark_format=csv 2> /dev/null | awk -F, '
    /^name,/ { for (i = 1; i <= NF; i++) if ($i ~ /FLOP/) rate = i; next }
    rate == 0 { next }
    { gsub(/"/, ""); sub(/\/real_time$/, "", $1); if ($1 == "Peak") peak = $rate
      printf "| %s | %.0f | %.0f %% |\n", $1, $rate / 1e9, 100 * $rate / peak }'
}

# runtime MODEL: its figures with one thread and with all.
runtime() {
  local one all
  one=$(mktemp) all=$(mktemp)
  "$bin/runtime_speed" "$1" 1 > "$one"
  "$bin/runtime_speed" "$1" > "$all"
  printf '| %s |' "$(basename "$1")"
  for key in prefill decode score; do
    printf ' %s | %s |' "$(round %.1f "$(number "$all" ${key}_tokens_per_second)")" \
      "$(awk -v a="$(number "$all" ${key}_tokens_per_second)" \
        -v b="$(number "$one" ${key}_tokens_per_second)" 'BEGIN { printf "%.2f", a / b }')"
  done
  printf ' %s | %s |\n' "$(round %.0f "$(number "$all" score_flops)" 1e-9)" \
    "$(round %.3f "$(number "$all" load_seconds)")"
  threads=$(number "$all" threads)
  rm -f "$one" "$all"
}

grep -m 1 'model name' /proc/cpuinfo | sed 's/.*: /Processor: /'
"$here/build/release/paroquant" --version | tail -1
echo
echo '| product | GFLOP/s | of the peak |'
echo '|---|---|---|'
products
echo
echo '| model | prefill 512, tokens/s | of one thread | decode | of one thread | score | of one thread | GFLOP/s | load, s |'
echo '|---|---|---|---|---|---|---|---|---|'
for model in "$@"; do runtime "$model"; done
if [[ -n $llama ]]; then
  echo
  for gguf in "${ggufs[@]}"; do
    "$llama/llama-bench" -m "$gguf" -t "${threads:-$(nproc)}" -p 512 -n 48 -o md 2> /dev/null | grep '^|'
  done
fi
