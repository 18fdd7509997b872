#include "pipeline/card_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"
#include "paroquant/model/model_name.h"
#include "paroquant/pipeline/card_figures.h"
#include "pipeline/carried_files.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;
using format::FormatKind;

// Keys of the source's card that hold for what is made from it.
constexpr std::array kCarried = {"license",    "license_name",       "license_link",
                                 "language",   "pipeline_tag",       "library_name",
                                 "base_model", "base_model_relation"};

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

std::vector<std::string> Tags(const CheckpointFacts& facts) {
  std::vector<std::string> tags = {"paroquant"};
  const FormatKind format = facts.format;
  if (format == FormatKind::kDense) return tags;
  tags.emplace_back("quantized");
  if (format == FormatKind::kGptq || format == FormatKind::kGptqV2) {
    tags.emplace_back("gptq");
  } else if (format != FormatKind::kParoquant) {
    tags.emplace_back(FormatName(format));
  }
  std::vector<int> bits;
  for (const LayerFacts& layer : facts.layers) {
    if (layer.quantized && std::ranges::find(bits, layer.bits) == bits.end()) {
      bits.push_back(layer.bits);
    }
  }
  std::ranges::sort(bits);
  for (const int width : bits) tags.push_back(fmt::format("{}-bit", width));
  return tags;
}

// "LICENSE", "licence.txt", "LICENSE-MODEL".
bool IsLicence(const fs::path& file) {
  const std::string name = AsciiLower(file.string());
  return name.starts_with("license") || name.starts_with("licence");
}

}  // namespace

FrontMatter SourceCard(const model::Checkpoint& source) {
  const fs::path path = source.folder() / kModelCard;
  if (!IsRegularFile(path)) return {};
  const MappedFile file(path);
  return ParseFrontMatter({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()},
                          kCarried);
}

std::vector<std::string> LicenceFiles(const model::Checkpoint& source) {
  std::vector<std::string> files;
  for (const fs::path& name : FindCarriedFiles(source).names) {
    if (IsLicence(name)) files.push_back(name.string());
  }
  return files;
}

void StateLicence(const std::vector<std::string>& files, FrontMatter& card) {
  if (files.empty() || card.values.contains("license")) return;
  // What the file says is for people to read: no name of a licence is guessed.
  card.values["license"] = {.items = {"other"}};
  for (const char* linked : {"LICENSE", "LICENSE.md"}) {  // the hub knows files by no other names
    if (std::ranges::find(files, linked) == files.end()) continue;
    card.values.insert({"license_link", {.items = {linked}}});
    return;
  }
}

std::string BaseModel(const model::Checkpoint& source, const FrontMatter& card) {
  const std::string folder = model::ModelName(source.folder());
  const std::string carried = card.Text("base_model");
  if (!carried.empty() && card.Text("base_model_relation") == "quantized") return carried;
  if (IsHubName(folder)) return folder;
  const auto& config = source.config();
  const auto found = config.find("_name_or_path");
  const std::string loaded =
      found != config.end() && found->is_string() ? found->get<std::string>() : "";
  for (const std::string& name : {carried, loaded}) {
    if (IsHubName(name) && model::WithoutOwner(name) == folder) return name;
  }
  return IsHubName(loaded) ? loaded : folder;
}

std::string CardHead(const std::string& base, const CheckpointFacts& facts,
                     const FrontMatter& carried) {
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

}  // namespace paroquant::pipeline
