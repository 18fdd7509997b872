#!/usr/bin/env bash
# Kills `quantize` at random moments and flips random bits of what it leaves behind. Each run must
# then go on with --resume to the bytes of one that was left alone, and say of each flip that it saw
# it. Prints what was done; fails if any run differs.
#   tests/reliability/kill_and_resume.sh [PROGRAM [KILLS [FLIPS [SEED]]]]
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${1:-build/release/paroquant}
kills=${2:-200}
flips=${3:-100}
RANDOM=${4:-1}

model=tests/data/tiny-llama
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# About half a second for each block of tiny-llama on two cores.
options=(--model "$model" --calib "$model/sample_calibration.txt" --calib-sequences 8
  --sequence-length 128 --no-progress)

# quantize OUT OPTION...
quantize() { "$program" quantize "${options[@]}" --out "$@" >/dev/null 2>"$work/notes"; }

same() { diff --recursive --brief "$work/whole" "$1" >&2; }

# A random whole number below $1.
below() { echo $(((RANDOM << 15 | RANDOM) % $1)); }

# What a killed run has left.
state_of() {
  if [[ ! -e $1/.paroquant-state/run ]]; then
    if [[ -e $1/config.json ]]; then echo "all, complete"; else echo "0, before the state"; fi
    return
  fi
  local blocks=("$1"/.paroquant-state/block-*[0-9])
  if [[ -e ${blocks[0]} ]]; then echo "${#blocks[@]}"; else echo 0; fi
}

# kill_once OUT: starts a run and kills it at a random moment; false if it ended before.
kill_once() {
  local delay
  delay=$(below "$((milliseconds + milliseconds / 20))")
  "$program" quantize "${options[@]}" --out "$1" --resume >/dev/null 2>&1 &
  sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
  kill -KILL $! 2>/dev/null || true
  ! wait $! 2>/dev/null
}

start=$(date +%s%3N)
quantize "$work/whole"
milliseconds=$(($(date +%s%3N) - start))
echo "an uninterrupted run takes $milliseconds ms"

identical=0 killed=0
declare -A states
while ((killed < kills)); do
  out=$work/out
  rm -rf "$out"
  if ! kill_once "$out"; then continue; fi  # it was quicker
  state=$(state_of "$out")
  # One in four is killed once more on its way.
  if (($(below 4) == 0)) && kill_once "$out"; then state+=", then $(state_of "$out")"; fi
  killed=$((killed + 1))
  states[$state]=$((${states[$state]:-0} + 1))
  if quantize "$out" --resume && same "$out"; then identical=$((identical + 1)); fi
done
echo "$identical of $kills killed runs are byte-identical after --resume; finished blocks when they were killed:"
for state in "${!states[@]}"; do echo "  $state: ${states[$state]}"; done | sort

# A state with a text and two blocks, stopped while the third was at work.
rm -rf "$work/state"
"$program" quantize "${options[@]}" --out "$work/state" >/dev/null 2>&1 &
until [[ -e $work/state/.paroquant-state/block-00001 ]]; do sleep 0.005; done
kill -KILL $!
wait $! 2>/dev/null || true
[[ $(state_of "$work/state") == 2 ]] || { echo "the run was too quick" >&2; exit 1; }

detected=0 repaired=0
records=("$work"/state/.paroquant-state/*[!p])
for ((i = 0; i < flips; ++i)); do
  rm -rf "$work/out"
  cp -r "$work/state" "$work/out"
  record=$work/out/.paroquant-state/$(basename "${records[$((i % ${#records[@]}))]}")
  offset=$(below "$(stat -c %s "$record")")
  byte=$(od -An -tu1 -j "$offset" -N 1 "$record")
  printf "\\x$(printf %x $((byte ^ (1 << $(below 8)))))" |
    dd of="$record" bs=1 seek="$offset" conv=notrunc status=none
  if quantize "$work/out" --resume; then
    if grep -q "$(basename "$record").*again" "$work/notes"; then detected=$((detected + 1)); fi
    if same "$work/out"; then repaired=$((repaired + 1)); fi
  fi
done
echo "$detected of $flips flipped bits were detected, $repaired runs are byte-identical after it"
((identical == kills && detected == flips && repaired == flips))
