#!/usr/bin/env bash
# Runs the main commands of a program that notices what it should not do, with four threads, and fails on the first
# finding: races, where it is built with the preset tsan; reads of what nobody wrote, accesses out of bounds and leaks,
# where valgrind watches. That wants the preset portable: it does not know every instruction of every machine.
#   tests/reliability/main_commands.sh build/tsan/paroquant
#   tests/reliability/main_commands.sh build/portable/paroquant valgrind
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${1:?PROGRAM, a program to run}
case ${2:-} in
  valgrind)
    export PAROQUANT_INSTRUCTIONS=avx2
    command=(valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible
      --errors-for-leak-kinds=definite "$program")
    ;;
  '')
    grep --quiet __tsan_init "$program" || { echo "$program watches for nothing" >&2; exit 2; }
    command=("$program")
    ;;
  *)
    echo "\"$2\" is not known: valgrind or nothing" >&2
    exit 2
    ;;
esac
# The first is small enough for all that a recipe does, the second has a tokenizer.
small=tests/goldens/models/llama_gqa_tied
model=tests/data/tiny-llama
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check NAME ARGUMENT...: one command of the program.
check() {
  local name=$1 start=$SECONDS status=0
  shift
  "${command[@]}" "$@" --threads 4 > "$work/output" 2> "$work/errors" || status=$?
  if ((status != 0)); then
    tail -40 "$work/errors" >&2
    echo "$name: FAILED with exit code $status" >&2
    exit 1
  fi
  echo "$name: clean, $((SECONDS - start)) s"
}

self=(--calib-sequences 2 --sequence-length 24 --set held_out_sequences=2)
out=$work/out
check quantize quantize --model "$small" --out "$work/fast" "${self[@]}" --report "$work/report.html"
check 'quantize, tuned' quantize --model "$small" --out "$work/block" --recipe block "${self[@]}" \
  --set tuning.stage1.epochs=1 --memory-budget 1
check 'verify, rotated' verify --model "$work/fast" --source "$small"
check 'convert, rotated' convert --model "$work/fast" --out "$work/fp16" --format fp16
check 'quantize, to nearest' quantize --model "$model" --out "$out" --recipe rtn
check inspect inspect --model "$out"
check eval-ppl eval-ppl --model "$out" --baseline "$model" --data "$model/sample_calibration.txt" --max-windows 2 \
  --window 128
check generate generate --model "$out" --prompt 'Once upon a time' --max-tokens 8
check tokenize tokenize --model "$model" --text 'Once upon a time'
