// How fast a model folder runs: loading, prefill of 512 tokens and decoding one by one, as
// llama-bench measures them, and scoring all tokens of a window, as eval-ppl does. Prints a line of
// JSON, for bench/compare.sh.
//
//   runtime_speed MODEL [THREADS]
#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "bench/model_flops.h"
#include "paroquant/base/parallel.h"
#include "paroquant/base/stopwatch.h"
#include "paroquant/eval/perplexity.h"
#include "paroquant/io/json.h"
#include "paroquant/kernels/instruction_set.h"
#include "paroquant/runtime/language_model.h"

namespace paroquant {
namespace {

constexpr int64_t kPrefill = 512;
constexpr int64_t kDecoded = 48;
constexpr int64_t kWindow = 2048;

template <typename Body>
double Seconds(const Body& body) {
  const Stopwatch watch;
  body();
  return watch.Seconds();
}

int32_t Token(const runtime::LanguageModel& model, int64_t position) {
  return static_cast<int32_t>(position * 37 % model.architecture().vocab_size);
}

// Feeds `count` tokens from `position` on, as a sampler does: only the last one's logits count.
void Feed(const runtime::LanguageModel& model, int64_t position, int64_t count,
          std::vector<nn::KeyValueCache>& caches) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(Token(model, position + i));
  Matrix hidden = model.Embed(ids);
  model.Forward({.count = 1, .length = count, .first = position}, hidden, caches);
  if (!model.Logits(hidden.bottomRows(1)).allFinite()) std::cerr << "logits are not finite\n";
}

io::Json Measure(const std::string& folder) {
  const Stopwatch watch;
  const auto model = runtime::LanguageModel::Load(folder);
  const double load = watch.Seconds();
  double prefill = 1e30;
  double decode = 1e30;
  double score = 1e30;
  const int64_t length = std::min(kWindow, model.architecture().max_positions);
  std::vector<eval::Window> windows(1);
  for (int64_t i = 0; i < length; ++i) windows[0].tokens.push_back(Token(model, i));
  for (int repeat = 0; repeat < 3; ++repeat) {  // the best: others are noise
    std::vector<nn::KeyValueCache> caches = model.MakeCaches(1, kPrefill + kDecoded);
    prefill = std::min(prefill, Seconds([&] { Feed(model, 0, kPrefill, caches); }));
    caches = model.MakeCaches(1, kDecoded);
    decode = std::min(decode, Seconds([&] {
                        for (int64_t i = 0; i < kDecoded; ++i) Feed(model, i, 1, caches);
                      }));
    score = std::min(score, Seconds([&] {
                       NoProgress progress;
                       eval::MeasurePerplexity(model, nullptr, windows, progress);
                     }));
  }
  const double scored = static_cast<double>(length) / score;
  return {{"model", folder},
          {"instructions", kernels::ActiveInstructionSet()},
          {"threads", ThreadCount()},
          {"load_seconds", load},
          {"prefill_tokens_per_second", kPrefill / prefill},
          {"decode_tokens_per_second", kDecoded / decode},
          {"score_tokens_per_second", scored},
          {"score_flops", scored * FlopsPerToken(model.architecture(), length)}};
}

}  // namespace
}  // namespace paroquant

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: runtime_speed MODEL [THREADS]\n";
    return 2;
  }
  try {
    if (argc > 2) paroquant::SetThreadCount(std::stoi(argv[2]));
    std::cout << paroquant::Measure(argv[1]).dump() << "\n";
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
