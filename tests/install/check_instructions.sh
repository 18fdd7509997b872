#!/usr/bin/env bash
# A portable build needs no more than x86-64-v2, but for the kernels that are chosen at run time.
#   check_instructions.sh BUILD
# Reads the instructions of all object files of the library and the program but those kernels. Of
# these it wants that they share no function with other files: of two, the linker keeps any one, and
# the program would then fail on older processors, in a place that has nothing to do with kernels.
set -euo pipefail
build=$1

# AVX and later have the registers ymm and zmm, or names that begin with a v; of FMA, BMI and the
# like, these are what compilers use.
newer='[[:space:]](v[a-z0-9]+|andn|bextr|blsi|blsr|blsmsk|bzhi|lzcnt|mulx|pdep|pext|rorx|sarx|shlx|shrx|tzcnt)[[:space:]]'
status=0

objects() { find "$build/src" "$build/tools/paroquant-cli" -name '*.o' -print0; }
is_newer_kernel() { [[ $1 == */paroquant_kernels_avx*.dir/* ]]; }

count=0
while IFS= read -r -d '' object; do
  if is_newer_kernel "$object"; then
    shared=$(nm --defined-only --demangle "$object" | grep -E ' [WVu] ' || true)
    [[ -z $shared ]] || { echo "$object shares with other files: $shared"; status=1; }
    continue
  fi
  count=$((count + 1))
  # tzcnt and lzcnt have the bytes of "rep bsf" and "rep bsr", which older processors understand;
  # compilers use the first for its speed where the result is the same.
  found=$(objdump --disassemble --no-show-raw-insn "$object" | grep -E "$newer|%[yz]mm" |
          grep -v 'tzcnt' | head -n 3 || true)
  [[ -z $found ]] || { echo "$object:"; echo "$found"; status=1; }
done < <(objects)

((count > 0)) || { echo "no object files in $build"; exit 1; }
((status == 0)) && echo "PASSED: $count object files need no more than x86-64-v2"
exit "$status"
