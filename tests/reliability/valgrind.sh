#!/usr/bin/env bash
# Runs the main commands under valgrind: reads of what nobody wrote, accesses out of bounds, leaks. Fails on the first
# finding. The program must be one for any machine (preset portable): valgrind does not know every instruction of
# this one.
#   tests/reliability/valgrind.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${1:-build/portable/paroquant}
model=tests/data/tiny-llama
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PAROQUANT_INSTRUCTIONS=avx2

# check NAME ARGUMENT...: one command of the program.
check() {
  local name=$1 start=$SECONDS
  shift
  valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible \
    --errors-for-leak-kinds=definite "$program" "$@" > "$work/output" 2> "$work/errors" || {
    local status=$?
    tail -40 "$work/errors" >&2
    echo "$name: FAILED with exit code $status" >&2
    exit 1
  }
  echo "$name: clean, $((SECONDS - start)) s"
}

out=$work/out
calibration=(--calib "$model/sample_calibration.txt" --calib-sequences 4 --sequence-length 64)
check quantize quantize --model "$model" --out "$out" "${calibration[@]}" --resume --report "$work/report.html"
check 'quantize, tuned' quantize --model "$model" --out "$work/block" --recipe block "${calibration[@]}" \
  --set tuning.stage1.epochs=1
check convert convert --model "$out" --out "$work/fp16" --format fp16
check verify verify --model "$out" --source "$model"
check inspect inspect --model "$out"
check eval-ppl eval-ppl --model "$out" --baseline "$model" --data "$model/sample_calibration.txt" --max-windows 2 \
  --window 128
check generate generate --model "$out" --prompt 'Once upon a time' --max-tokens 8
check tokenize tokenize --model "$model" --text 'Once upon a time'
