#include "pipeline/model_card.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <tuple>

#include "paroquant/base/checksum.h"
#include "paroquant/base/file.h"
#include "paroquant/base/printable.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/base/shell_word.h"
#include "paroquant/base/version.h"
#include "paroquant/pipeline/card_figures.h"
#include "pipeline/card_engines.h"
#include "pipeline/front_matter.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;
using format::FormatKind;

// Keys of the source's card that hold for what is made from it.
constexpr std::array kCarried = {"license",    "license_name",       "license_link",
                                 "language",   "pipeline_tag",       "library_name",
                                 "base_model", "base_model_relation"};
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

FrontMatter SourceFacts(const model::Checkpoint& source) {
  const fs::path path = source.folder() / kModelCard;
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  const MappedFile file(path);
  return ParseFrontMatter({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()},
                          kCarried);
}

std::string LastPart(const std::string& name) { return name.substr(name.rfind('/') + 1); }

// True for "owner/name" as the hub has it: no path.
bool IsHubName(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./").find(c) != std::string_view::npos;
  };
  const size_t slash = name.find('/');
  return slash != std::string::npos && slash > 0 && name.front() != '.' &&
         slash + 1 < name.size() && name.find('/', slash + 1) == std::string::npos &&
         std::ranges::all_of(name, allowed);
}

// The model that the checkpoint is a quantization of. What a card of a 16-bit model calls its base
// is the one that it was trained from, unless it bears the folder's name.
std::string BaseModel(const model::Checkpoint& source, const FrontMatter& facts) {
  const std::string folder = ModelName(source.folder());
  const std::string carried = facts.Text("base_model");
  if (!carried.empty() && facts.Text("base_model_relation") == "quantized") return carried;
  if (IsHubName(folder)) return folder;
  const auto& config = source.config();
  const auto found = config.find("_name_or_path");
  const std::string loaded =
      found != config.end() && found->is_string() ? found->get<std::string>() : "";
  for (const std::string& name : {carried, loaded}) {
    if (IsHubName(name) && LastPart(name) == folder) return name;
  }
  return IsHubName(loaded) ? loaded : folder;
}

std::vector<std::string> Tags(const CardFacts& facts) {
  std::vector<std::string> tags = {"paroquant"};
  const FormatKind format = facts.checkpoint.format;
  if (format == FormatKind::kDense) return tags;
  tags.emplace_back("quantized");
  if (format == FormatKind::kGptq || format == FormatKind::kGptqV2) {
    tags.emplace_back("gptq");
  } else if (format != FormatKind::kParoquant) {
    tags.emplace_back(FormatName(format));
  }
  std::vector<int> bits;
  for (const LayerFacts& layer : facts.checkpoint.layers) {
    if (layer.quantized && std::ranges::find(bits, layer.bits) == bits.end()) {
      bits.push_back(layer.bits);
    }
  }
  std::ranges::sort(bits);
  for (const int width : bits) tags.push_back(fmt::format("{}-bit", width));
  return tags;
}

std::string Head(const std::string& base, const CardFacts& facts, const FrontMatter& carried) {
  std::map<std::string, FrontMatter::Value> entries = carried.values;
  entries["base_model"] = {.items = {base}};
  entries["base_model_relation"] = {.items = {"quantized"}};
  entries.insert({"library_name", {.items = {"transformers"}}});
  entries.insert({"pipeline_tag", {.items = {"text-generation"}}});
  entries["tags"] = {.is_list = true, .items = Tags(facts)};
  std::string head = "---\n";
  for (const auto& [key, value] : entries) head += YamlEntry(key, value);
  return head + "---\n";
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

int64_t SourceBytes(const model::Checkpoint& source) {
  int64_t bytes = 0;
  for (const io::TensorView& tensor : source.tensors().tensors()) {
    bytes += std::ssize(tensor.bytes);
  }
  return bytes;
}

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
    texts.push_back(
        fmt::format("{} bits in groups of {} ({} layers)", settings.first, settings.second, count));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

// What a report says of how the layers were made.
std::string MethodRows(const io::Json& report) {
  const io::JsonObject json(report, "report");
  const io::JsonObject settings = json.Object("settings");
  std::string rows = Cells("recipe", Code(json.Get<std::string>("recipe")));
  if (settings.Get<std::string>("rotation") != "none") {
    rows += Cells("rotations", fmt::format("{} rounds", settings.Get<int>("rotations")));
  }
  const io::JsonObject text = json.Object("calibration");
  const auto source = text.Get<std::string>("source");
  if (const auto sequences = text.Get<int64_t>("sequences"); sequences > 0) {
    rows += Cells("calibrated on",
                  fmt::format("{} sequences of {} tokens {}, and {} more held out", sequences,
                              text.Get<int64_t>("tokens") / sequences,
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
  const bool converted = facts.report.is_null();
  const std::string rows =
      Cells("size of the weights", fmt::format("{}; {} {}", ByteCount(facts.bytes),
                                               converted ? "before converting" : "the source's",
                                               ByteCount(SourceBytes(source))));
  return "## Measured\n\n" + Table(rows + OfReport(facts.report, ReportedFigures)) +
         FiguresPlace("Perplexity was not measured. `paroquant eval-ppl --card` puts it here.\n") +
         "\n";
}

// The recipe's name, and what differs from it.
void AddRecipe(const method::Recipe& recipe, std::vector<std::string>& words) {
  const std::vector<std::string> shipped = method::ShippedRecipes();
  if (std::ranges::find(shipped, recipe.name) == shipped.end()) {
    words.insert(words.end(), {"--recipe", recipe.name + ".json"});
    return;
  }
  words.insert(words.end(), {"--recipe", recipe.name});
  const io::Json usual = method::RecipeJson(method::LoadRecipe(recipe.name)).flatten();
  const io::Json settings = method::RecipeJson(recipe).flatten();
  for (const auto& [path, value] : settings.items()) {
    if (usual.at(path) == value) continue;
    std::string key = path.substr(1);
    std::ranges::replace(key, '/', '.');
    words.insert(
        words.end(),
        {"--set", key + "=" + (value.is_string() ? value.get<std::string>() : value.dump())});
  }
}

}  // namespace

std::string ModelName(const fs::path& folder) {
  constexpr std::string_view kCached = "models--";
  const fs::path path = fs::weakly_canonical(fs::absolute(folder));
  for (const fs::path& part : path) {
    std::string name = part.string();
    if (!name.starts_with(kCached)) continue;
    name = name.substr(kCached.size());
    const size_t dashes = name.find("--");
    if (dashes != std::string::npos) return name.replace(dashes, 2, "/");
  }
  return (path.filename().empty() ? path.parent_path() : path).filename().string();
}

std::string QuantizeCommand(const QuantizeOptions& options) {
  const std::string name = LastPart(ModelName(options.model));
  std::vector<std::string> words = {"paroquant", "quantize", "--model",
                                    name,        "--out",    name + "-quantized"};
  AddRecipe(options.recipe, words);
  const auto add = [&](const char* option, const std::string& value) {
    words.insert(words.end(), {option, value});
  };
  add("--format", FormatName(options.format));
  if (!options.target.empty()) add("--target", options.target);
  for (const std::string& pattern : options.skip) add("--skip", pattern);
  for (const LayerOverride& other : options.overrides) {
    std::vector<std::string> settings;
    if (other.bits) settings.push_back(fmt::format("bits={}", *other.bits));
    if (other.group_size) settings.push_back(fmt::format("group-size={}", *other.group_size));
    add("--override", fmt::format("{}:{}", other.pattern, fmt::join(settings, ",")));
  }
  if (options.recipe.NeedsCalibration() && !options.SamplesText()) {
    for (const std::string& file : options.calibration) {
      add("--calib", fs::path(file).filename().string());
    }
  }
  add("--seed", fmt::format("{}", options.seed));
  if (options.shard_size != QuantizeOptions().shard_size) {
    add("--shard-size", fmt::format("{}", options.shard_size));
  }
  for (std::string& word : words) word = ShellWord(Printable(word));
  const std::vector<std::string> shipped = method::ShippedRecipes();
  const bool own = std::ranges::find(shipped, options.recipe.name) == shipped.end();
  return fmt::format("{}{}", fmt::join(words, " "),
                     own ? "  # the recipe: \"settings\" in quantization_report.json" : "");
}

std::string ConvertCommand(const fs::path& model, FormatKind format) {
  const std::string name = LastPart(ModelName(model));
  return fmt::format(
      "paroquant convert --model {} --out {} --format {}", ShellWord(Printable(name)),
      ShellWord(Printable(fmt::format("{}-{}", name, FormatName(format)))), FormatName(format));
}

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
  const FrontMatter carried = SourceFacts(source);
  for (const std::string& problem : carried.problems) {
    notes.push_back(fmt::format("{}: {}, so the new one lacks it",
                                (source.folder() / kModelCard).string(), problem));
  }
  const std::string base = BaseModel(source, carried);
  const bool dense = facts.checkpoint.format == FormatKind::kDense;
  std::string card = Head(base, facts, carried);
  card += fmt::format("{}{:08x}{}\n# {}, {}\n\n", kMark, 0, kMarkEnd, Printable(LastPart(base)),
                      dense ? "quantized, as 16-bit weights" : "quantized");
  card += fmt::format(
      "{} with its linear layers quantized by paroquant. What the source's own card says of the "
      "model, its use and its limits holds here too{}.\n\n",
      Code(base),
      carried.values.contains("license") ? "" : "; it states no licence that could be read");
  card += WhatWasDone(base, facts) + WhatWasMeasured(source, facts);
  return Marked(card + HowToLoad(facts.checkpoint));
}

}  // namespace paroquant::pipeline
