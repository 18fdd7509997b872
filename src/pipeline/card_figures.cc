#include "paroquant/pipeline/card_figures.h"

#include <fmt/format.h>

#include <algorithm>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/printable.h"
#include "pipeline/model_card.h"

namespace paroquant::pipeline {
namespace {

constexpr std::string_view kBegin = "<!-- figures by eval-ppl -->\n";
constexpr std::string_view kEnd = "<!-- end of figures -->\n";
constexpr uint64_t kMaxCard = 16 << 20;  // bytes

struct Section {
  size_t begin = 0;
  size_t end = 0;
};

// Between the two lines; nothing if they are not there in this order.
std::optional<Section> FindSection(std::string_view card) {
  const size_t begin = card.find(kBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  const size_t first = begin + kBegin.size();
  const size_t end = card.find(kEnd, first);
  return end == std::string_view::npos ? std::nullopt : std::optional(Section{first, end});
}

std::string Cell(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

std::string Row(const CardFigure& figure) {
  std::string divergence = Cell(figure.kl_divergence, 5);
  if (figure.kl_divergence_stderr) {
    divergence += fmt::format(" ± {:.5f}", *figure.kl_divergence_stderr);
  }
  std::optional<double> agreement = figure.top1_agreement;
  if (agreement) *agreement *= 100;
  std::string data = Printable(figure.data);
  std::ranges::replace(data, '|', '/');
  return fmt::format("| {} | {} | {} × {} | {:.4f} | {} | {} | {} |\n", data, figure.protocol,
                     figure.windows, figure.window, figure.perplexity,
                     Cell(figure.baseline_perplexity, 4), divergence, Cell(agreement, 2));
}

}  // namespace

std::string FiguresPlace(std::string_view figures) {
  return fmt::format("{}{}{}", kBegin, figures, kEnd);
}

std::string ReadCard(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kModelCard;
  const bool exists = IsRegularFile(path);
  std::string card = exists ? ReadFile(path, kMaxCard) : "";
  if (FindSection(card)) return card;
  throw Error(ErrorKind::kUsage, {.where = path.string(),
                                  .expected = "a model card with a place for figures",
                                  .found = exists ? "none in it" : "no such file",
                                  .hint = "quantize and convert write one; a card of your own "
                                          "needs their two lines about figures."});
}

std::string WithFigures(const std::string& card, const std::vector<CardFigure>& figures,
                        const std::string& baseline) {
  const bool unedited = IsUneditedCard(card);
  std::string text =
      "| text | protocol | windows × tokens | perplexity | of the 16-bit model | KL divergence, "
      "nats | top-1 agreement, % |\n|---|---|---|---|---|---|---|\n";
  for (const CardFigure& figure : figures) text += Row(figure);
  if (!baseline.empty()) {
    text += fmt::format("\nThe 16-bit model to compare with was {}.\n", Printable(baseline));
  }
  const std::optional<Section> place = FindSection(card);
  std::string result = card;
  if (place) result.replace(place->begin, place->end - place->begin, text);
  return unedited ? Marked(result) : result;
}

}  // namespace paroquant::pipeline
