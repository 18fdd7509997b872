#include "pipeline/model_card.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <tuple>

#include "paroquant/base/checksum.h"
#include "paroquant/base/printable.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/model/model_name.h"
#include "paroquant/pipeline/card_figures.h"
#include "paroquant/pipeline/stored_size.h"
#include "pipeline/card_engines.h"
#include "pipeline/card_head.h"

namespace paroquant::pipeline {
namespace {

using format::FormatKind;

constexpr char kMark[] = "<!-- Written by paroquant, crc32 ";
constexpr char kMarkEnd[] = "; edited, it is kept when the checkpoint is made anew -->\n";
constexpr size_t kDigits = 8;

// A source may have thousands of layers in 16 bits, and none of its readers need them all.
constexpr size_t kMostKept = 16;
constexpr size_t kWorst = 3;

// Where the checksum stands in a card that has one.
std::optional<size_t> FindMark(std::string_view card) {
  const size_t mark = card.find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  const size_t digits = mark + std::string_view(kMark).size();
  if (!card.substr(std::min(card.size(), digits + kDigits)).starts_with(kMarkEnd)) {
    return std::nullopt;
  }
  return digits;
}

// Of the card with zeros for the checksum itself.
std::string ChecksumOf(std::string card, size_t digits) {
  card.replace(digits, kDigits, kDigits, '0');
  return fmt::format("{:08x}", Crc32(std::as_bytes(std::span(card))));
}

// Between backticks, for any text; in cells of tables too.
std::string Code(const std::string& text) {
  std::string code = Printable(text);
  std::ranges::replace(code, '`', '\'');
  std::ranges::replace(code, '|', '/');
  return fmt::format("`{}`", code);
}

std::string Cells(const std::string& left, const std::string& right) {
  return fmt::format("| {} | {} |\n", left, right);
}

std::string Table(const std::string& rows) { return "| | |\n|---|---|\n" + rows + "\n"; }

// "4 bits in groups of 128" of the quantized layers, the commonest first.
std::string Precision(const CheckpointFacts& facts) {
  std::map<std::pair<int, int>, int64_t> counts;
  for (const LayerFacts& layer : facts.layers) {
    if (layer.quantized) ++counts[{layer.bits, layer.group_size}];
  }
  std::vector<std::pair<std::pair<int, int>, int64_t>> order(counts.begin(), counts.end());
  std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> texts;
  for (const auto& [settings, count] : order) {
    texts.push_back(fmt::format("{} bits in groups of {} ({})", settings.first, settings.second,
                                Counted(count, "layer")));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

// What a report says of how the layers were made.
std::string MethodRows(const io::Json& report) {
  const io::JsonObject json(report, "report");
  const io::JsonObject settings = json.Object("settings");
  std::string rows = Cells("recipe", Code(json.Get<std::string>("recipe")));
  if (settings.Get<std::string>("rotation") != "none") {
    rows += Cells("rotations", Counted(settings.Get<int>("rotations"), "round"));
  }
  const io::JsonObject text = json.Object("calibration");
  const auto source = text.Get<std::string>("source");
  if (const auto sequences = text.Get<int64_t>("sequences"); sequences > 0) {
    rows += Cells("calibrated on",
                  fmt::format("{} of {} {}, and {} more held out", Counted(sequences, "sequence"),
                              Counted(text.Get<int64_t>("tokens") / sequences, "token"),
                              source == kSelfCalibration ? "that the model itself had written"
                                                         : "of " + Code(source),
                              text.Get<int64_t>("held_out_sequences")));
  } else {
    rows += Cells("calibrated on", "no text");
  }
  rows += Cells("seed", fmt::format("{}", json.Get<uint64_t>("seed")));
  return rows + Cells("made by", "paroquant " + Printable(json.Get<std::string>("version")));
}

// What a report says was measured.
std::string ReportedFigures(const io::Json& report) {
  const io::JsonObject json(report, "report");
  std::string rows;
  if (json.Has("bits_per_weight")) {
    rows += Cells("bits a quantized weight, scales and rotations included",
                  fmt::format("{:.3f}", json.Get<double>("bits_per_weight")));
  }
  if (json.Has("expected_kl")) {
    rows += Cells("KL divergence from the 16-bit model on the held-out sequences, nats",
                  fmt::format("{:.5f} ± {:.5f}", json.Get<double>("expected_kl"),
                              json.GetOr<double>("expected_kl_stderr", 0.0)));
  }
  std::vector<std::tuple<double, double, std::string>> errors;
  for (const io::Json& entry : report.at("layers")) {
    const io::JsonObject layer(entry, "report: layers");
    if (!layer.Has("relative_output_error")) continue;
    errors.emplace_back(layer.Get<double>("relative_output_error"),
                        layer.Get<double>("relative_output_error_rtn"),
                        layer.Get<std::string>("name"));
  }
  if (errors.empty()) return rows;
  std::ranges::sort(errors, std::greater());
  const auto show = [](const auto& error) {
    return fmt::format("{:.2f} % (rounded to nearest {:.2f} %)", 100 * std::get<0>(error),
                       100 * std::get<1>(error));
  };
  rows += Cells("relative error of a layer's outputs, median", show(errors[errors.size() / 2]));
  for (size_t i = 0; i < std::min(kWorst, errors.size()); ++i) {
    rows += Cells("the same of " + Code(std::get<2>(errors[i])), show(errors[i]));
  }
  return rows;
}

// `rows` of a report, or nothing where that is damaged: a card is no place to complain.
template <typename Rows>
std::string OfReport(const io::Json& report, const Rows& rows) {
  try {
    return report.is_object() ? rows(report) : "";
  } catch (const Error&) {
    return "";
  } catch (const io::Json::exception&) {
    return "";
  }
}

std::string WhatWasDone(const std::string& base, const CardFacts& facts) {
  const auto& layers = facts.checkpoint.layers;
  const auto quantized = std::ranges::count_if(layers, &LayerFacts::quantized);
  std::string rows =
      Cells("source", Code(base)) + Cells("layout", Code(FormatName(facts.checkpoint.format))) +
      Cells("linear layers",
            fmt::format("{} quantized, {} in 16 bits", quantized, std::ssize(layers) - quantized)) +
      Cells("precision", Precision(facts.checkpoint));
  std::string text = "## What was done\n\n" + Table(rows + OfReport(facts.report, MethodRows));
  if (!facts.kept.empty()) {
    text += "In 16 bits, beside embeddings, norms and head:\n\n";
    for (size_t i = 0; i < std::min(kMostKept, facts.kept.size()); ++i) {
      text += fmt::format("- {}\n", Code(facts.kept[i]));
    }
    if (facts.kept.size() > kMostKept) {
      text += fmt::format("- {} more\n", facts.kept.size() - kMostKept);
    }
    text += "\n";
  }
  return text + "This command makes the same bytes again:\n\n```\n" + facts.command + "\n```\n\n";
}

std::string WhatWasMeasured(const model::Checkpoint& source, const CardFacts& facts) {
  const std::string rows = Cells("size of the weights",
                                 fmt::format("{}; {} {}", ByteCount(facts.bytes),
                                             facts.converted ? "before converting" : "the source's",
                                             ByteCount(MeasureStoredSize(source).bytes)));
  return "## Measured\n\n" + Table(rows + OfReport(facts.report, ReportedFigures)) +
         FiguresPlace("Perplexity was not measured. `paroquant eval-ppl --card` puts it here.\n") +
         "\n";
}

// What goes behind a sentence on the source's card if that states no licence.
std::string UnstatedLicence(const std::vector<std::string>& files) {
  if (files.empty()) return "; it states no licence that could be read";
  std::vector<std::string> names;
  for (const std::string& file : files) names.push_back(Code(file));
  return fmt::format("; the licence is in {}, which came with the source",
                     fmt::join(names, " and "));
}

}  // namespace

bool IsUneditedCard(std::string_view card) {
  const std::optional<size_t> digits = FindMark(card);
  return digits && ChecksumOf(std::string(card), *digits) == card.substr(*digits, kDigits);
}

std::string Marked(std::string card) {
  if (const std::optional<size_t> digits = FindMark(card)) {
    card.replace(*digits, kDigits, ChecksumOf(card, *digits));
  }
  return card;
}

std::string ModelCard(const model::Checkpoint& source, const CardFacts& facts,
                      std::vector<std::string>& notes) {
  FrontMatter carried = SourceCard(source);
  for (const std::string& problem : carried.problems) {
    notes.push_back(fmt::format("{}: {}, so the new one lacks it",
                                (source.folder() / kModelCard).string(), problem));
  }
  const std::vector<std::string> licences = LicenceFiles(source);
  const std::string licence = carried.values.contains("license") ? "" : UnstatedLicence(licences);
  StateLicence(licences, carried);
  const std::string base = BaseModel(source, carried);
  const bool dense = facts.checkpoint.format == FormatKind::kDense;
  std::string card = CardHead(base, facts.checkpoint, carried);
  card += fmt::format("{}{:08x}{}\n# {}, {}\n\n", kMark, 0, kMarkEnd,
                      Printable(model::WithoutOwner(base)),
                      dense ? "quantized, as 16-bit weights" : "quantized");
  card += fmt::format(
      "{} with its linear layers quantized by paroquant. What the source's own card says of the "
      "model, its use and its limits holds here too{}.\n\n",
      Code(base), licence);
  card += WhatWasDone(base, facts) + WhatWasMeasured(source, facts);
  return Marked(card + HowToLoad(facts.checkpoint));
}

}  // namespace paroquant::pipeline
