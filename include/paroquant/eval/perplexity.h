// Perplexity of a model on token ids and, beside a baseline, how far its predictions moved.
#ifndef PAROQUANT_EVAL_PERPLEXITY_H_
#define PAROQUANT_EVAL_PERPLEXITY_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/base/progress.h"
#include "paroquant/runtime/language_model.h"

namespace paroquant::eval {

// A run of tokens that is fed to the model from position 0, of which tokens
// [first_scored, tokens.size()) are predicted from those before them. first_scored >= 1.
struct Window {
  std::vector<int32_t> tokens;
  int64_t first_scored = 1;
};

struct WindowOptions {
  std::string source = "text";                               // what errors call the text
  int64_t window = 2048;                                     // tokens, as asked for
  int64_t max_window = std::numeric_limits<int64_t>::max();  // what the model takes
  int64_t stride = 0;             // from one window's start to the next; 0: window
  int64_t max_windows = 0;        // 0: all
  std::optional<int32_t> bos;     // put at each window's start, in the place of a token
  bool second_half_only = false;  // score only (window/2, window), as llama.cpp does
};

// Cuts a text into windows. Where they overlap, a token is scored once, in the first window that
// holds it. A rest shorter than a window is dropped, but a text shorter than one is a window.
// Throws kInput for fewer than 2 tokens; if windows would be too short to score anything, kUsage
// or, where text or model made them shorter than asked for, kInput.
std::vector<Window> CutWindows(std::span<const int32_t> tokens, const WindowOptions& options);

// Means over windows of a window's mean over its scored tokens; standard errors over windows
// (0 for a single window). Natural logarithms.
struct Measurement {
  double mean = 0.0;
  double standard_error = 0.0;
};

// Against a baseline that reads the same windows.
struct Comparison {
  Measurement kl_divergence;  // KL(baseline || model) per predicted token
  Measurement delta_nll;      // NLL of the model minus NLL of the baseline, paired
  Measurement baseline_nll;
  double top1_agreement = 0;  // share of predicted tokens with the same likeliest token
};

struct PerplexityResult {
  int64_t windows = 0;
  int64_t tokens = 0;  // fed to the model
  Measurement nll;
  double perplexity = 0;  // exp(nll.mean)
  std::optional<Comparison> comparison;
};

// Throws kInput for ids outside the vocabulary, for a baseline of another vocabulary, and if a
// logit is no number.
PerplexityResult MeasurePerplexity(const runtime::LanguageModel& model,
                                   const runtime::LanguageModel* baseline,
                                   std::span<const Window> windows, Progress& progress);

// The model's logits [T, vocab] for one run of tokens.
Matrix WindowLogits(const runtime::LanguageModel& model, std::span<const int32_t> tokens);

}  // namespace paroquant::eval

#endif  // PAROQUANT_EVAL_PERPLEXITY_H_
