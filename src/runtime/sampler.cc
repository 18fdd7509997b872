#include "paroquant/runtime/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "paroquant/base/error.h"
#include "paroquant/base/parallel.h"

namespace paroquant::runtime {
namespace {

// Sequences drawn in lockstep: enough for full matrix products, few enough for the caches.
constexpr int64_t kLockstep = 32;

// Logits that are no numbers come from damaged weights; the tensor is looked for only then.
void BlameWeights(const LanguageModel& model, const Matrix& logits) {
  if (!logits.allFinite()) model::RequireFinite(model.checkpoint().tensors());
}

// Draws sequences [first, first + count).
void SampleLockstep(const LanguageModel& model, int64_t length, std::vector<Rng>& rngs,
                    std::span<std::vector<int32_t>> sequences, Progress& progress) {
  const auto count = static_cast<int64_t>(sequences.size());
  std::vector<nn::KeyValueCache> caches = model.MakeCaches(count, length);
  std::vector<int32_t> last(sequences.size());
  for (int64_t position = 0; position + 1 < length; ++position) {
    for (size_t s = 0; s < sequences.size(); ++s) last[s] = sequences[s].back();
    Matrix hidden = model.Embed(last);
    model.Forward({.count = count, .length = 1, .first = position}, hidden, caches);
    const Matrix logits = model.Logits(hidden);
    BlameWeights(model, logits);
    ParallelFor(count, [&](int64_t row) {
      const auto s = static_cast<size_t>(row);
      sequences[s].push_back(SampleToken(logits.row(row).transpose(), 1.0, rngs[s]));
    });
    progress.Advance(count, "");
  }
}

// The splitmix64 generator's output function: every bit of both counts.
uint64_t SequenceSeed(uint64_t seed, uint64_t sequence) {
  uint64_t z = seed + (sequence + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

// Takes the weight of all but the likeliest tokens, the first of equals before others, that are
// needed to have `top_p` of the sum.
void KeepNucleus(double top_p, Eigen::ArrayXf& weights) {
  std::vector<int32_t> order(static_cast<size_t>(weights.size()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int32_t a, int32_t b) { return weights[a] > weights[b]; });
  double rest = top_p * weights.cast<double>().sum();
  for (const int32_t token : order) {
    const double weight = weights[token];
    if (rest <= 0.0) weights[token] = 0.0F;
    rest -= weight;
  }
}

}  // namespace

int32_t SampleToken(const Vector& logits, double temperature, Rng& rng, double top_p) {
  Eigen::Index best = 0;
  const float top = logits.maxCoeff(&best);
  if (!std::isfinite(top)) {
    throw Error(ErrorKind::kInput, {.where = "logits",
                                    .expected = "finite numbers",
                                    .found = fmt::format("{}", top),
                                    .hint = "The weights are damaged; run verify on the model."});
  }
  if (temperature <= 0.0) return static_cast<int32_t>(best);
  Eigen::ArrayXf weights = ((logits.array() - top) / static_cast<float>(temperature)).exp();
  if (top_p < 1.0) KeepNucleus(top_p, weights);
  double target = rng.Uniform() * weights.cast<double>().sum();
  for (Eigen::Index i = 0; i < weights.size(); ++i) {
    target -= weights[i];
    if (target < 0.0) return static_cast<int32_t>(i);
  }
  return static_cast<int32_t>(best);  // only rounding leads here
}

void Generate(const LanguageModel& model, std::span<const int32_t> prompt, int64_t length,
              const GenerateOptions& options, const std::function<void(int32_t)>& on_token) {
  if (std::ssize(prompt) >= length) return;
  std::vector<int32_t> ends = model.architecture().eos_token_ids;
  ends.insert(ends.end(), options.end_ids.begin(), options.end_ids.end());
  std::vector<nn::KeyValueCache> caches = model.MakeCaches(1, length);
  Rng rng(options.seed);
  std::vector<int32_t> next(prompt.begin(), prompt.end());
  int64_t position = 0;
  while (true) {
    const auto count = static_cast<int64_t>(next.size());
    Matrix hidden = model.Embed(next);
    model.Forward({.count = 1, .length = count, .first = position}, hidden, caches);
    position += count;
    const Matrix logits = model.Logits(hidden.bottomRows(1));
    BlameWeights(model, logits);
    const int32_t token =
        SampleToken(logits.row(0).transpose(), options.temperature, rng, options.top_p);
    if (std::find(ends.begin(), ends.end(), token) != ends.end()) return;
    on_token(token);
    if (position + 1 >= length) return;
    next.assign(1, token);
  }
}

std::vector<std::vector<int32_t>> SampleSequences(const LanguageModel& model, int64_t count,
                                                  int64_t length, uint64_t seed,
                                                  Progress& progress) {
  progress.Start("sampling calibration text", count * (length - 1));
  const model::Architecture& architecture = model.architecture();
  std::vector<std::vector<int32_t>> sequences(static_cast<size_t>(count));
  std::vector<Rng> rngs;
  for (size_t s = 0; s < sequences.size(); ++s) {
    Rng& rng = rngs.emplace_back(SequenceSeed(seed, s));
    sequences[s].push_back(architecture.bos_token_id.value_or(
        static_cast<int32_t>(rng.Below(static_cast<uint64_t>(architecture.vocab_size)))));
  }
  for (size_t first = 0; first < sequences.size(); first += kLockstep) {
    const size_t size = std::min<size_t>(kLockstep, sequences.size() - first);
    std::vector<Rng> lockstep_rngs(rngs.begin() + static_cast<int64_t>(first),
                                   rngs.begin() + static_cast<int64_t>(first + size));
    SampleLockstep(model, length, lockstep_rngs, std::span(sequences).subspan(first, size),
                   progress);
  }
  progress.Finish();
  return sequences;
}

}  // namespace paroquant::runtime
