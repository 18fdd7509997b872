#include "paroquant/eval/perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/token_scores.h"
#include "paroquant/base/error.h"
#include "paroquant/base/parallel.h"

namespace paroquant::eval {
namespace {

using runtime::LanguageModel;

// Tokens that pass through the blocks together: enough to make the decoding of weights cheap.
constexpr int64_t kTokensPerBatch = 4096;

// What one scored token contributes.
struct TokenScore {
  double nll = 0.0;
  double kl_divergence = 0.0;
  double delta_nll = 0.0;
  bool top1_agrees = false;
};

// The residual stream after all blocks for windows of one length, [windows * length, hidden].
Matrix RunBlocks(const LanguageModel& model, std::span<const Window> windows) {
  std::vector<int32_t> ids;
  for (const Window& window : windows) {
    ids.insert(ids.end(), window.tokens.begin(), window.tokens.end());
  }
  Matrix hidden = model.Embed(ids);
  model.Forward({.count = static_cast<int64_t>(windows.size()),
                 .length = static_cast<int64_t>(windows.front().tokens.size())},
                hidden);
  return hidden;
}

bool IsFinite(const TokenScore& score) {
  return std::isfinite(score.nll) && std::isfinite(score.kl_divergence) &&
         std::isfinite(score.delta_nll);
}

// Throws kInput if a score is no number, naming the damaged tensor if there is one.
void RequireNumbers(const std::vector<TokenScore>& scores, const LanguageModel& model,
                    const LanguageModel* baseline) {
  if (std::ranges::all_of(scores, IsFinite)) return;
  model::RequireFinite(model.checkpoint().tensors());
  if (baseline != nullptr) model::RequireFinite(baseline->checkpoint().tensors());
  throw Error(ErrorKind::kInput, {.where = "logits",
                                  .expected = "finite numbers",
                                  .found = "an infinity or no number",
                                  .hint = "The weights are damaged; run verify on the model."});
}

// Scores the token `target` from the row of logits that predicts it.
TokenScore ScoreToken(const Eigen::Ref<const Eigen::RowVectorXf>& logits, int32_t target) {
  TokenScore score;
  score.nll = LogSumExp(logits) - static_cast<double>(logits[target]);
  return score;
}

TokenScore CompareToken(const Eigen::Ref<const Eigen::RowVectorXf>& logits,
                        const Eigen::Ref<const Eigen::RowVectorXf>& baseline, int32_t target) {
  const double log_sum = LogSumExp(logits);
  const double baseline_log_sum = LogSumExp(baseline);
  TokenScore score;
  score.nll = log_sum - static_cast<double>(logits[target]);
  score.delta_nll = score.nll - (baseline_log_sum - static_cast<double>(baseline[target]));
  score.kl_divergence = KlDivergence(baseline, baseline_log_sum, logits, log_sum);
  Eigen::Index top = 0;
  Eigen::Index baseline_top = 0;
  logits.maxCoeff(&top);
  baseline.maxCoeff(&baseline_top);
  score.top1_agrees = top == baseline_top;
  return score;
}

// Scores of the scored tokens of one window, whose rows of the residual streams are given
// (`baseline_hidden` is empty without a baseline).
std::vector<TokenScore> ScoreWindow(const LanguageModel& model, const LanguageModel* baseline,
                                    const Window& window, ConstMatrixRef hidden,
                                    ConstMatrixRef baseline_hidden) {
  const auto length = static_cast<int64_t>(window.tokens.size());
  std::vector<TokenScore> scores(static_cast<size_t>(length - window.first_scored));
  for (int64_t first = window.first_scored; first < length; first += kTokensPerHead) {
    const int64_t count = std::min(kTokensPerHead, length - first);
    const Matrix logits = model.Logits(hidden.middleRows(first - 1, count));
    Matrix reference;
    if (baseline != nullptr) {
      reference = baseline->Logits(baseline_hidden.middleRows(first - 1, count));
    }
    ParallelFor(count, [&](int64_t i) {
      const int32_t target = window.tokens[static_cast<size_t>(first + i)];
      scores[static_cast<size_t>(first - window.first_scored + i)] =
          baseline != nullptr ? CompareToken(logits.row(i), reference.row(i), target)
                              : ScoreToken(logits.row(i), target);
    });
  }
  RequireNumbers(scores, model, baseline);
  return scores;
}

template <typename Field>
double MeanOf(const std::vector<TokenScore>& scores, const Field& field) {
  double sum = 0.0;
  for (const TokenScore& score : scores) sum += field(score);
  return sum / static_cast<double>(scores.size());
}

Measurement Summarize(const std::vector<double>& means) {
  const auto n = static_cast<double>(means.size());
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / n;
  if (means.size() < 2) return {mean, 0.0};
  double squares = 0.0;
  for (const double value : means) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / (n - 1.0) / n)};
}

// Collects the windows' means.
class Tally {
 public:
  void Add(const std::vector<TokenScore>& scores) {
    nll_.push_back(MeanOf(scores, [](const TokenScore& s) { return s.nll; }));
    kl_.push_back(MeanOf(scores, [](const TokenScore& s) { return s.kl_divergence; }));
    delta_.push_back(MeanOf(scores, [](const TokenScore& s) { return s.delta_nll; }));
    baseline_.push_back(MeanOf(scores, [](const TokenScore& s) { return s.nll - s.delta_nll; }));
    top1_.push_back(MeanOf(scores, [](const TokenScore& s) { return s.top1_agrees ? 1.0 : 0.0; }));
  }

  // Of the windows so far.
  std::string Note(bool compared) const {
    std::string note = fmt::format("perplexity {:.4f}", std::exp(Summarize(nll_).mean));
    if (compared) note += fmt::format(", KL divergence {:.5f}", Summarize(kl_).mean);
    return note;
  }

  PerplexityResult Result(bool compared) const {
    PerplexityResult result;
    result.windows = static_cast<int64_t>(nll_.size());
    result.nll = Summarize(nll_);
    result.perplexity = std::exp(result.nll.mean);
    if (compared) {
      result.comparison = Comparison{.kl_divergence = Summarize(kl_),
                                     .delta_nll = Summarize(delta_),
                                     .baseline_nll = Summarize(baseline_),
                                     .top1_agreement = Summarize(top1_).mean};
    }
    return result;
  }

 private:
  std::vector<double> nll_, kl_, delta_, baseline_, top1_;
};

void RequireSameVocabulary(const LanguageModel& model, const LanguageModel& baseline) {
  const int64_t expected = baseline.architecture().vocab_size;
  const int64_t found = model.architecture().vocab_size;
  if (expected == found) return;
  throw Error(ErrorKind::kInput, {.where = model.checkpoint().folder().string(),
                                  .expected = fmt::format("the baseline's {} tokens", expected),
                                  .found = fmt::format("{}", found),
                                  .hint = "Compare a model with the one that it was made from."});
}

}  // namespace

PerplexityResult MeasurePerplexity(const LanguageModel& model, const LanguageModel* baseline,
                                   std::span<const Window> windows, Progress& progress) {
  if (baseline != nullptr) RequireSameVocabulary(model, *baseline);
  progress.Start("evaluating", static_cast<int64_t>(windows.size()));
  const auto length = static_cast<int64_t>(windows.front().tokens.size());
  const auto batch = static_cast<size_t>(std::max<int64_t>(1, kTokensPerBatch / length));
  Tally tally;
  for (size_t first = 0; first < windows.size(); first += batch) {
    const auto part = windows.subspan(first, std::min(batch, windows.size() - first));
    const Matrix hidden = RunBlocks(model, part);
    const Matrix reference = baseline != nullptr ? RunBlocks(*baseline, part) : Matrix(0, 0);
    for (size_t i = 0; i < part.size(); ++i) {
      const int64_t row = static_cast<int64_t>(i) * length;
      tally.Add(ScoreWindow(model, baseline, part[i], hidden.middleRows(row, length),
                            baseline != nullptr ? reference.middleRows(row, length) : reference));
      progress.Advance(1, tally.Note(baseline != nullptr));
    }
  }
  progress.Finish();
  PerplexityResult result = tally.Result(baseline != nullptr);
  result.tokens = result.windows * length;
  return result;
}

Matrix WindowLogits(const LanguageModel& model, std::span<const int32_t> tokens) {
  Matrix hidden = model.Embed(tokens);
  model.Forward({.count = 1, .length = static_cast<int64_t>(tokens.size())}, hidden);
  return model.Logits(hidden);
}

}  // namespace paroquant::eval
