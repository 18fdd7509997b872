#include "pipeline/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <span>
#include <vector>

#include "model/finite_range.h"
#include "paroquant/base/checksum.h"
#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/parallel.h"
#include "paroquant/pipeline/card_figures.h"
#include "paroquant/pipeline/quantize.h"
#include "pipeline/carried_files.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

// Bytes that a thread reads at once: they are still in its cache for the second look at them. A
// multiple of every element's size.
constexpr size_t kPiece = size_t{1} << 20;

std::string Content(size_t size, uint32_t checksum) {
  return fmt::format("{} bytes, crc32 {:08x}", size, checksum);
}

std::string ContentOf(const fs::path& path) {
  const MappedFile file(path);
  return Content(file.bytes().size(), Crc32(file.bytes()));
}

// A part of a file of weights: what comes before its data, or elements of a tensor.
struct Piece {
  std::span<const std::byte> bytes;
  const io::TensorView* tensor = nullptr;
  int64_t first = 0;  // of the elements
};

// The whole file, in its order.
std::vector<Piece> CutIntoPieces(const MappedFile& file, const io::SafetensorsFile& weights) {
  size_t header = file.bytes().size();
  for (const io::TensorView& tensor : weights.tensors()) {
    header -= std::min(header, tensor.bytes.size());
  }
  std::vector<Piece> pieces = {{.bytes = file.bytes().first(header)}};
  for (const io::TensorView& tensor : weights.tensors()) {
    const size_t size = io::DTypeSize(tensor.dtype);
    for (size_t begin = 0; begin < tensor.bytes.size(); begin += kPiece) {
      const size_t length = std::min(kPiece, tensor.bytes.size() - begin);
      pieces.push_back({.bytes = tensor.bytes.subspan(begin, length),
                        .tensor = &tensor,
                        .first = static_cast<int64_t>(begin / size)});
    }
  }
  return pieces;
}

// As ContentOf. Looks on the way whether the model's numbers are finite, as model::RequireFinite
// does: reading a large model takes long.
std::string ContentOfWeights(const fs::path& path, const io::TensorFolder& listed) {
  const MappedFile file(path);
  const io::SafetensorsFile weights = io::SafetensorsFile::Open(path);
  const std::vector<Piece> pieces = CutIntoPieces(file, weights);
  std::vector<uint32_t> sums(pieces.size());
  ParallelFor(std::ssize(pieces), [&](int64_t i) {
    const auto& [bytes, tensor, first] = pieces[static_cast<size_t>(i)];
    sums[static_cast<size_t>(i)] = Crc32(bytes);
    if (tensor == nullptr || listed.Find(tensor->name) == nullptr) return;
    const auto count = static_cast<int64_t>(bytes.size() / io::DTypeSize(tensor->dtype));
    model::RequireFinite(*tensor, first, count);
  });
  uint32_t sum = 0;
  for (size_t i = 0; i < sums.size(); ++i) sum = JoinCrc32(sum, sums[i], pieces[i].bytes.size());
  return Content(file.bytes().size(), sum);
}

io::Json SourceFiles(const model::Checkpoint& source) {
  std::set<fs::path> names{model::kConfigFile};
  const CarriedFiles carried = FindCarriedFiles(source);
  names.insert(carried.names.begin(), carried.names.end());
  for (const fs::path& file : source.tensors().files()) names.insert(file.filename());
  std::set<fs::path> weights;
  for (const io::TensorView& tensor : source.tensors().tensors()) {
    weights.insert(tensor.file.filename());
  }
  // The new card takes some lines of the source's.
  if (IsRegularFile(source.folder() / kModelCard)) names.insert(kModelCard);
  io::Json files = io::Json::object();
  for (const fs::path& name : names) {
    const fs::path path = source.folder() / name;
    files[name.string()] =
        weights.contains(name) ? ContentOfWeights(path, source.tensors()) : ContentOf(path);
  }
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
