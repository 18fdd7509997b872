#!/usr/bin/env bash
# From a fresh clone to a quantized model and its figures: builds paroquant, quantizes the small
# model in tests/data to 4 bits and compares the result with the original. Safe to repeat.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/figures.sh

source_model=tests/data/tiny-llama
work=build/quickstart
quantized_model=$work/tiny-llama-4bit
program=build/release/paroquant

# megabytes FOLDER: the size of the model's weights.
megabytes() {
  cat "$1"/*.safetensors | wc -c | awk '{ printf "%.2f MB", $1 / 1e6 }'
}

row() {
  printf '%-10s %9s %11s %14s %13s\n' "$@"
}

tools/install-dependencies.sh

echo "1. Building paroquant in build/release"
cmake --preset release > /dev/null
cmake --build --preset release --target paroquant_cli

echo "2. Quantizing $source_model to 4 bits in $quantized_model"
mkdir -p $work
start=$SECONDS
$program quantize --model $source_model --out $quantized_model \
  --calib $source_model/sample_calibration.txt --sequence-length 512 --overwrite \
  --json $work/quantize.json
quantize_time="$((SECONDS - start)) s"

echo "3. Perplexity of the original and of the result on $source_model/sample_evaluation.txt"
evaluate=("$program" eval-ppl --data $source_model/sample_evaluation.txt --window 512)
"${evaluate[@]}" --model $source_model --json $work/source.json > /dev/null
"${evaluate[@]}" --model $quantized_model --baseline $source_model --json $work/result.json \
  > /dev/null

echo
row model size perplexity 'KL divergence' 'quantized in'
row original "$(megabytes $source_model)" \
  "$(round %.3f "$(number $work/source.json perplexity)")" - -
row '4 bits' "$(megabytes $quantized_model)" \
  "$(round %.3f "$(number $work/result.json perplexity)")" \
  "$(round %.4f "$(number $work/result.json kl_divergence)")" \
  "$quantize_time"
echo
echo "KL divergence says how far the two models' predictions are apart, in nats a token: 0 is the same."
echo "All figures are in $PWD/$work/*.json."
echo
echo "Next, with MODEL a Hugging Face folder, TEXT.txt a megabyte or more of text, OTHER.txt more of it:"
echo "$PWD/$program quantize --model MODEL --out MODEL-4bit --calib TEXT.txt --report MODEL-4bit.html"
echo "$PWD/$program eval-ppl --model MODEL-4bit --baseline MODEL --data OTHER.txt"
