#include "pipeline/fingerprint.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "paroquant/base/checksum.h"
#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"
#include "paroquant/pipeline/card_figures.h"
#include "paroquant/pipeline/quantize.h"
#include "pipeline/carried_files.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

std::string ContentOf(const fs::path& path) {
  const MappedFile file(path);
  return fmt::format("{} bytes, crc32 {:08x}", file.bytes().size(), Crc32(file.bytes()));
}

io::Json SourceFiles(const model::Checkpoint& source) {
  std::set<fs::path> names{model::kConfigFile};
  const CarriedFiles carried = FindCarriedFiles(source);
  names.insert(carried.names.begin(), carried.names.end());
  for (const fs::path& file : source.tensors().files()) names.insert(file.filename());
  // The new card takes some lines of the source's.
  if (IsRegularFile(source.folder() / kModelCard)) names.insert(kModelCard);
  io::Json files = io::Json::object();
  for (const fs::path& name : names) files[name.string()] = ContentOf(source.folder() / name);
  return files;
}

io::Json CalibrationTexts(const QuantizeOptions& options) {
  if (!options.recipe.NeedsCalibration()) return "none";
  if (options.SamplesText()) return kSelfCalibration;
  io::Json texts = io::Json::array();  // their order counts, and two may have the same name
  for (const std::string& file : options.calibration) {
    texts.push_back(fs::path(file).filename().string() + ": " + ContentOf(file));
  }
  return texts;
}

io::Json Overrides(const QuantizeOptions& options) {
  io::Json overrides = io::Json::array();
  for (const LayerOverride& settings : options.overrides) {
    io::Json entry = {{"pattern", settings.pattern}};
    if (settings.bits) entry["bits"] = *settings.bits;
    if (settings.group_size) entry["group_size"] = *settings.group_size;
    overrides.push_back(std::move(entry));
  }
  return overrides;
}

std::string Value(const io::Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() ? "nothing" : found->dump();
}

void AddChanges(const io::Json& before, const io::Json& now, const std::string& prefix,
                std::vector<std::string>& changes) {
  std::set<std::string> keys;
  for (const auto& [key, value] : before.items()) keys.insert(key);
  for (const auto& [key, value] : now.items()) keys.insert(key);
  for (const std::string& key : keys) {
    const bool both = before.contains(key) && now.contains(key);
    if (both && before.at(key).is_object() && now.at(key).is_object()) {
      AddChanges(before.at(key), now.at(key), prefix + key + ".", changes);
    } else if (!both || before.at(key) != now.at(key)) {
      changes.push_back(
          fmt::format("{}{}: {} before, {} now", prefix, key, Value(before, key), Value(now, key)));
    }
  }
}

}  // namespace

io::Json Fingerprint(const model::Checkpoint& source, const QuantizeOptions& options) {
  io::Json fingerprint = RecipeJson(options);  // with the version and the seed
  fingerprint["format"] = format::FormatName(options.format);
  fingerprint["shard_size"] = options.shard_size;
  fingerprint["skip"] = options.skip;
  fingerprint["overrides"] = Overrides(options);
  fingerprint["calibration"] = CalibrationTexts(options);
  fingerprint["model"] = SourceFiles(source);
  // Names of files need not be UTF-8; what is stored and compared is.
  return io::Json::parse(fingerprint.dump(-1, ' ', false, io::Json::error_handler_t::replace));
}

std::vector<std::string> Changes(const io::Json& before, const io::Json& now) {
  std::vector<std::string> changes;
  AddChanges(before, now, "", changes);
  return changes;
}

}  // namespace paroquant::pipeline
