#!/usr/bin/env bash
# Builds everything and runs all tests.
#   PRESET=release tools/test.sh   with another preset of CMakePresets.json than check
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${PRESET:-check}
SECONDS=0

# ctest names the tests that were skipped; why, only their own output says.
skip_reasons() {
  grep --after-context 1 ': Skipped$' "build/$preset/Testing/Temporary/LastTest.log" |
    grep --invert-match -e ': Skipped$' -e '^--$' | sort | uniq --count
}

tools/install-dependencies.sh
cmake --preset "$preset"
cmake --build --preset "$preset"

if ctest --preset "$preset" --parallel "$(nproc)"; then
  reasons=$(skip_reasons || true)
  if [[ -n $reasons ]]; then printf 'Skipped, how many and why:\n%s\n' "$reasons"; fi
  echo "PASSED: all tests, preset $preset, $SECONDS s"
else
  echo "FAILED: the tests listed above, preset $preset, $SECONDS s" >&2
  exit 1
fi
