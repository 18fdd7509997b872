#!/usr/bin/env bash
# Lets the calls by which the program asks the system for something (files, folders, memory, threads)
# fail one after the other, alone or with all of their kind after them. A run must then end
# with exit code 5 and a message that has the path and the system's reason, or do as if nothing had
# happened; it leaves no half of a model, and what it leaves is good to go on from to the same bytes.
# Prints what was done; fails if any run did otherwise.
#   tests/reliability/fail_every_call.sh [PROGRAM [STRIDE [STRIDE_OF_ALLOCATIONS [JOB...]]]]
# JOB is quantize, spill, convert or evaluate; without one it is all of them.
# Only every so many-th fault is tried. Of allocations there is one for each call stack.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

program=${1:-build/release/paroquant}
stride=${2:-1}
allocation_stride=${3:-1}
jobs=("${@:4}")
if ((${#jobs[@]} == 0)); then jobs=(quantize spill convert evaluate); fi
for job in "${jobs[@]}"; do
  case $job in
    quantize | spill | convert | evaluate) ;;
    *) echo "no such job: $job" >&2; exit 2 ;;
  esac
done
injector=$(realpath "$(dirname "$program")/tests/reliability/libfault_injector.so")

goldens=$PWD/tests/goldens
tiny_llama=$PWD/tests/data/tiny-llama
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

declare -A errno=([EINTR]=4 [EIO]=5 [EAGAIN]=11 [ENOMEM]=12 [EACCES]=13 [EMFILE]=24 [ENOSPC]=28
  [ENOLCK]=37 [half]=0)
declare -A reason=([EIO]="Input/output error" [EAGAIN]="Resource temporarily unavailable"
  [ENOMEM]="Cannot allocate memory" [EACCES]="Permission denied" [EMFILE]="Too many open files"
  [ENOSPC]="No space left on device" [ENOLCK]="No locks available")

# What calls of a kind fail with, in turn; "+": all later ones of that kind as well. "half" is no
# error: a read or write takes half of what it could.
declare -A errors=([open]="EMFILE EACCES+ EINTR EMFILE+" [stat]="EIO EIO+" [read]="EIO EINTR half+"
  [write]="ENOSPC+ EIO EINTR half half+" [reserve]="ENOSPC EINTR" [temporary]="EMFILE EMFILE+"
  [map]="ENOMEM ENOMEM+" [sync]="EIO+ EINTR EIO" [rename]="EIO ENOSPC+" [remove]="EACCES EACCES+"
  [folder]="ENOSPC EACCES+" [list]="EIO EIO+" [lock]="ENOLCK EINTR" [thread]="EAGAIN EAGAIN+"
  [memory]="ENOMEM ENOMEM+")
kinds="open stat read write reserve temporary map sync rename remove folder list lock thread memory"

# Runs the program in $environment.
run() {
  timeout 120 env "${environment[@]}" "$program" "$@" </dev/null >"$work/printed" 2>"$work/message"
}

# The jobs. Each begins where nothing is; beside it is how to go on from what a fault has left.

# All blocks in memory, one thread: the same calls every time.
quantize_options=(--model "$goldens/models/llama_gqa_tied" --calib-sequences 2 --sequence-length 24
  --set held_out_sequences=2 --set row_feedback_sequences=2 --no-progress --out "$work/out")
quantize() { run quantize "${quantize_options[@]}" --threads 1; }
quantize_again() { run quantize "${quantize_options[@]}" --threads 1 --resume; }

# Activations on disk, and threads that share the work.
spill() { run quantize "${quantize_options[@]}" --threads 2 --memory-budget 1; }
spill_again() { run quantize "${quantize_options[@]}" --threads 2 --memory-budget 1 --resume; }

convert_options=(--model "$goldens/packed/gptq" --format fp16 --threads 1 --no-progress
  --out "$work/out")
convert() { run convert "${convert_options[@]}"; }
convert_again() { run convert "${convert_options[@]}" --overwrite; }

# A result from before is there, which only a whole new one may replace.
evaluate() {
  mkdir "$work/out"
  echo before >"$work/out/result.json"
  evaluate_again
}
evaluate_again() {
  run eval-ppl --model "$tiny_llama" --data "$work/text.txt" --window 32 --threads 1 --no-progress \
    --json "$work/out/result.json"
  local code=$?
  sed -i '/seconds"\|tokens_per_second"/d' "$work/out/result.json"
  return $code
}

# same DIFF_OPTION...: all is as if there had been no fault
same() { diff --recursive --brief "$@" "$work/whole" "$work/out" >/dev/null 2>&1; }

# What a run that ended with an error has left is no model, or a whole one.
harmless() {
  case $job in
    evaluate) same || [[ $(cat "$work/out/result.json") == before ]] ;;
    *) [[ ! -e $work/out/config.json ]] || same --exclude=.paroquant-state ;;
  esac
}

# By these, of glibc and (with asserts only) of nlohmann-json, a program without memory may end.
runtime_ends="^Fatal glibc error: .*out of memory\|nlohmann/json.hpp:.* Assertion"

failures=0
# wrong WHAT
wrong() {
  failures=$((failures + 1))
  echo "WRONG: $job, $kind $number, $error: $1: exit code $code: $(head -c 400 "$work/message")" |
    tr '\n' ' '
  echo
}

message_has_path() {
  local path
  while read -r path; do
    if [[ -z $path ]] ||
      grep --quiet --fixed-strings -e "$path" -e "$(dirname "$path")" "$work/message"; then
      return 0
    fi
  done < <(sed -n 's/^failed *//p' "$work/log")
  return 1
}

# Runs $job with $error at call $number of $kind and looks at what comes of it.
inject() {
  rm -rf "$work/out"
  environment=(LD_PRELOAD="$injector" FAULT_KIND="$kind" FAULT_AT="$number"
    FAULT_ERRNO="${errno[${error%+}]}" FAULT_LOG="$work/log")
  if [[ $error == *+ ]]; then environment+=(FAULT_STAYS=1); fi
  code=0
  $job || code=$?
  if ((code == 0)); then
    unharmed=$((unharmed + 1))
    same || wrong "other bytes"
    return
  fi
  refused=$((refused + 1))
  if ((code == 134)) && grep --quiet "$runtime_ends" "$work/message"; then
    runtime=$((runtime + 1))
  elif ((code != 5)); then
    wrong "no refusal"
  elif [[ -z ${reason[${error%+}]:-} ]]; then
    wrong "not tried again"
  elif ! grep --quiet "${reason[${error%+}]}" "$work/message"; then
    wrong "no reason"
  elif ! message_has_path; then
    wrong "no path"
  fi
  harmless || wrong "half of a result"
  [[ -e $work/out ]] || return
  environment=()
  "${job}_again" || { code=$?; wrong "no going on"; return; }
  # Without memory a run may end as if it was killed: a temporary file of a result stays then.
  same --exclude='.result.json.*.tmp' || wrong "other bytes after going on"
}

# The faults of $kind, as lines "NUMBER ERROR". Of few calls each fails with every error.
faults() {
  local numbers every=$stride
  if [[ $kind == memory ]]; then
    mapfile -t numbers <"$work/sites"
    every=$allocation_stride
  else
    mapfile -t numbers < <(seq "$count")
  fi
  local turns turn=0
  read -ra turns <<<"${errors[$kind]}"
  for number in "${numbers[@]}"; do
    if ((${#numbers[@]} <= 20)); then
      printf "$number %s\n" "${turns[@]}"
    else
      echo "$number ${turns[$((turn++ % ${#turns[@]}))]}"
    fi
  done | awk "NR % $every == 0"
}

echo "Seattle is a town in the state of Washington. It rains there now and then." >"$work/text.txt"
printf '%-9s %-10s %8s %8s %8s %8s %9s\n' job calls made faults refused runtime unharmed
for job in "${jobs[@]}"; do
  rm -rf "$work/out" "$work/whole"
  environment=(LD_PRELOAD="$injector" FAULT_LOG="$work/counts" FAULT_SITES="$work/sites")
  $job || { cat "$work/message" >&2; exit 1; }
  mv "$work/out" "$work/whole"
  for kind in $kinds; do
    count=$(sed -n "s/^$kind //p" "$work/counts")
    refused=0 unharmed=0 runtime=0
    while read -r number error; do inject; done < <(faults)
    printf '%-9s %-10s %8d %8d %8d %8d %9d\n' "$job" "$kind" "$count" $((refused + unharmed)) \
      $((refused - runtime)) "$runtime" "$unharmed"
  done
done
echo "$failures faults had another end than they should"
((failures == 0))
