// Drawing text from a model.
#ifndef PAROQUANT_RUNTIME_SAMPLER_H_
#define PAROQUANT_RUNTIME_SAMPLER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/base/progress.h"
#include "paroquant/base/rng.h"
#include "paroquant/runtime/language_model.h"

namespace paroquant::runtime {

// A token from softmax(logits / temperature); the likeliest one (the first of equals) if
// temperature is 0. Of the likeliest tokens only as many can come up as it takes to reach `top_p`
// in all, in (0, 1]. `logits` is one row.
int32_t SampleToken(const Vector& logits, double temperature, Rng& rng, double top_p = 1.0);

struct GenerateOptions {
  double temperature = 0.0;
  double top_p = 1.0;
  uint64_t seed = 0;
  std::vector<int32_t> end_ids = {};  // that end the text, beside those of the architecture
};

// Goes on from `prompt` (at least one token) until `length` tokens stand there in all or the model
// ends the text, and calls on_token for each new one, the closing one not included.
void Generate(const LanguageModel& model, std::span<const int32_t> prompt, int64_t length,
              const GenerateOptions& options, const std::function<void(int32_t)>& on_token);

// `count` sequences of `length` tokens drawn from the model itself at temperature 1, from BOS on
// or, where the model has none, from a random token. Sequence s depends on `seed` and s alone.
std::vector<std::vector<int32_t>> SampleSequences(const LanguageModel& model, int64_t count,
                                                  int64_t length, uint64_t seed,
                                                  Progress& progress);

}  // namespace paroquant::runtime

#endif  // PAROQUANT_RUNTIME_SAMPLER_H_
