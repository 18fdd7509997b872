#!/usr/bin/env bash
# Runs a program of GoogleTest in eight shares, one at a time on each core.
#   tools/run_shards.sh PROGRAM [GTEST_FILTER]
set -euo pipefail

shards=8
seq 0 $((shards - 1)) | GTEST_TOTAL_SHARDS=$shards \
  xargs -P "$(nproc)" -I {} env GTEST_SHARD_INDEX={} "$1" --gtest_brief=1 --gtest_filter="${2:-*}"
