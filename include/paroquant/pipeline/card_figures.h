// Figures that are measured when a checkpoint is finished, in the model card beside it.
#ifndef PAROQUANT_PIPELINE_CARD_FIGURES_H_
#define PAROQUANT_PIPELINE_CARD_FIGURES_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paroquant::pipeline {

// The model card of a folder. The hub shows the file of this name.
inline constexpr char kModelCard[] = "README.md";

struct CardFigure {
  std::string data;  // a name that tells readers what the text was
  std::string protocol;
  int64_t window = 0;   // tokens
  int64_t windows = 0;  // of them
  double perplexity = 0.0;
  // Against the baseline, if there was one.
  std::optional<double> baseline_perplexity;
  std::optional<double> kl_divergence;
  std::optional<double> kl_divergence_stderr;  // absent for a single window
  std::optional<double> top1_agreement;        // from 0 to 1
};

// The folder's card. Throws kUsage if it has none with a place for figures.
std::string ReadCard(const std::filesystem::path& folder);

// The card with these figures in the place of those that it has. `baseline` is a model's name or
// "". A card that nobody has edited still counts as that.
std::string WithFigures(const std::string& card, const std::vector<CardFigure>& figures,
                        const std::string& baseline);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CARD_FIGURES_H_
