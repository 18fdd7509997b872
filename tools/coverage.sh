#!/usr/bin/env bash
# How many of the lines of src/ the tests run: builds with counters, runs the unit tests and those of the command line
# and prints a table of files; fails if fewer than MINIMUM % are run.
#   MINIMUM=90 tools/coverage.sh [GTEST_FILTER_OF_THE_COMMAND_LINE]
# build/coverage/report/ holds the lines that no test runs, as pages.
set -euo pipefail
cd "$(dirname "$0")/.."

minimum=${MINIMUM:-90}
build=build/coverage

tools/install-dependencies.sh --checks
cmake --preset coverage
cmake --build --preset coverage --target unit_tests cli_tests
find "$build" -name '*.gcda' -delete
tools/run_shards.sh "$build/tests/unit_tests"
tools/run_shards.sh "$build/tests/cli/cli_tests" "${1:-*}"

mkdir -p "$build/report"
# Threads count without locks: a count may be off, and even negative, but never zero for a line that ran.
gcovr --root . --filter src/ --exclude-throw-branches --gcov-ignore-parse-errors -j "$(nproc)" \
  --html-details "$build/report/index.html" --print-summary --txt --fail-under-line "$minimum" "$build"
