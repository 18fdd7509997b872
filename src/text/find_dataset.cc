#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/nearest_word.h"
#include "paroquant/text/dataset.h"

namespace paroquant::text {
namespace {

namespace fs = std::filesystem;

// A dataset's name and where its file may lie in the data folder, the best first; "*" in a file's
// name stands for anything.
struct Dataset {
  std::string_view name;
  std::array<std::string_view, 4> places;
};

constexpr std::array kDatasets = {
    Dataset{"wikitext2",
            {"wiki.test.raw", "wikitext-2-raw/wiki.test.raw", "wikitext2/wiki.test.raw",
             "wikitext2/wikitext-2-raw/wiki.test.raw"}},
    Dataset{"c4",
            {"c4-validation*.json.gz", "c4*heldout*.json.gz", "c4/c4-validation*.json.gz",
             "c4/c4*heldout*.json.gz"}},
};

bool Matches(std::string_view name, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  for (size_t skipped = star; skipped <= name.size(); ++skipped) {
    if (Matches(name.substr(skipped), pattern.substr(star + 1))) return true;
  }
  return false;
}

// The first file, by name, that `place` in `data_dir` stands for.
std::optional<fs::path> FileAt(const fs::path& place, const fs::path& data_dir) {
  const fs::path folder = data_dir / place.parent_path();
  if (!IsFolder(folder)) return std::nullopt;
  for (const fs::path& path : FolderEntries(folder)) {
    const std::string name = path.filename().string();
    if (Matches(name, place.filename().string()) && IsRegularFile(path)) return path;
  }
  return std::nullopt;
}

Error NotFound(
    const std::string& name, const std::string& expected, const std::string& found,
    std::string hint = "Say where the datasets lie with --data-dir or $PAROQUANT_DATA.") {
  return Error(ErrorKind::kInput, {.where = fmt::format("the dataset \"{}\"", name),
                                   .expected = expected,
                                   .found = found,
                                   .hint = std::move(hint)});
}

fs::path FindIn(const fs::path& data_dir, const Dataset& dataset) {
  const std::string name(dataset.name);
  const std::string expected = fmt::format("one of {}", fmt::join(dataset.places, ", "));
  if (data_dir.empty()) throw NotFound(name, expected + " in a data folder", "no data folder");
  for (const std::string_view place : dataset.places) {
    if (auto file = FileAt(place, data_dir); file.has_value()) return *std::move(file);
  }
  throw NotFound(name, fmt::format("{} in {}", expected, data_dir.string()), "none of them");
}

}  // namespace

fs::path FindDataset(const std::string& name, const fs::path& data_dir) {
  std::vector<std::string> known;
  for (const Dataset& dataset : kDatasets) {
    if (name == dataset.name) return FindIn(data_dir, dataset);
    known.emplace_back(dataset.name);
  }
  if (IsRegularFile(name)) return name;
  const std::string nearest = NearestWord(name, known);
  throw NotFound(name, fmt::format("{} or the path of a file", fmt::join(known, ", ")),
                 IsFolder(name) ? "a folder" : "no file of that name",
                 nearest.empty() ? "Check the path." : fmt::format("Did you mean {}?", nearest));
}

}  // namespace paroquant::text
