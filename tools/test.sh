#!/usr/bin/env bash
# Builds everything and runs all tests.
#   PRESET=release tools/test.sh   with another preset of CMakePresets.json than dev
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${PRESET:-dev}
SECONDS=0

tools/install-dependencies.sh
cmake --preset "$preset"
cmake --build --preset "$preset"

if ctest --preset "$preset" --parallel "$(nproc)"; then
  echo "PASSED: all tests, preset $preset, $SECONDS s"
else
  echo "FAILED: the tests listed above, preset $preset, $SECONDS s" >&2
  exit 1
fi
