#include "pipeline/carried_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"
#include "paroquant/pipeline/card_figures.h"
#include "paroquant/pipeline/quantize.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr char kQuantizationKey[] = "quantization_config";

// Weights in other formats would double the output and contradict it.
constexpr std::array kWeightExtensions = {".safetensors", ".bin", ".pt",   ".pth",
                                          ".gguf",        ".h5",  ".onnx", ".msgpack"};

// The one folder of a model whose files loaders look for: chat templates with names. Others hold
// other weights, other programs' settings or a cache.
constexpr char kTemplateFolder[] = "additional_chat_templates";
constexpr char kTemplateExtension[] = ".jinja";

bool IsWeightFile(const fs::path& path) {
  const std::string extension = path.extension().string();
  return path.filename() == "model.safetensors.index.json" ||
         std::ranges::find(kWeightExtensions, extension) != kWeightExtensions.end();
}

// A page that --report has put beside a checkpoint, of which it would tell wrong things elsewhere.
bool IsReportPage(const fs::path& path) {
  constexpr std::string_view kMark = "name=\"generator\" content=\"paroquant";
  if (path.extension() != ".html") return false;
  const MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                              file.bytes().size());
  return text.find(kMark) != std::string_view::npos;
}

// Why a file is not carried over, or "".
const char* ReasonToLeave(const fs::path& path) {
  if (IsFolder(path)) return "a folder";
  if (!IsRegularFile(path)) return "no regular file";
  if (IsReportPage(path)) return "a report on this checkpoint";
  return IsWeightFile(path) ? "other weights" : "";
}

void Add(const fs::path& name, const std::string& reason_to_leave, CarriedFiles& files) {
  if (reason_to_leave.empty()) {
    files.names.push_back(name);
  } else {
    files.notes.push_back(fmt::format("not carried over: {} ({})", name.string(), reason_to_leave));
  }
}

void AddTemplates(const fs::path& folder, CarriedFiles& files) {
  for (const fs::path& path : FolderEntries(folder)) {
    std::string reason = ReasonToLeave(path);
    if (reason.empty() && path.extension() != kTemplateExtension) reason = "no chat template";
    Add(fs::path(kTemplateFolder) / path.filename(), reason, files);
  }
}

bool SameBytes(const fs::path& a, const fs::path& b) {
  const MappedFile left(a);
  const MappedFile right(b);
  return std::ranges::equal(left.bytes(), right.bytes());
}

std::string Value(const io::SortedJson& config, const std::string& key) {
  const auto found = config.find(key);
  return found == config.end() ? "nothing" : found->dump();
}

// Sorted, as the order of keys means nothing.
io::SortedJson WithoutQuantization(const model::Checkpoint& checkpoint) {
  io::SortedJson config = io::SortedJson::parse(checkpoint.config().dump());
  config.erase(kQuantizationKey);
  return config;
}

void CompareConfigs(const model::Checkpoint& checkpoint, const model::Checkpoint& source,
                    std::vector<VerifyProblem>& problems) {
  const io::SortedJson found = WithoutQuantization(checkpoint);
  const io::SortedJson expected = WithoutQuantization(source);
  std::set<std::string> keys;
  for (const auto& [key, value] : found.items()) keys.insert(key);
  for (const auto& [key, value] : expected.items()) keys.insert(key);
  for (const std::string& key : keys) {
    const std::string original = Value(expected, key);
    const std::string copy = Value(found, key);
    if (copy == original) continue;
    problems.push_back(
        {fmt::format("{}: {}", (checkpoint.folder() / model::kConfigFile).string(), key),
         "the source's " + original, copy});
  }
}

}  // namespace

CarriedFiles FindCarriedFiles(const model::Checkpoint& source) {
  const std::vector<fs::path>& weights = source.tensors().files();
  CarriedFiles files;
  for (const fs::path& path : FolderEntries(source.folder())) {
    const std::string name = path.filename().string();
    const bool own = std::ranges::find(weights, path) != weights.end();
    if (own || name == model::kConfigFile || name == kProvenanceFile) continue;
    if (name == kModelCard) continue;  // the checkpoint has its own
    if (name == kTemplateFolder && IsFolderItself(path)) {
      AddTemplates(path, files);
    } else {
      Add(name, ReasonToLeave(path), files);
    }
  }
  return files;
}

std::vector<VerifyProblem> DifferingFiles(const model::Checkpoint& checkpoint,
                                          const model::Checkpoint& source) {
  std::vector<VerifyProblem> problems;
  CompareConfigs(checkpoint, source, problems);
  for (const fs::path& name : FindCarriedFiles(source).names) {
    const fs::path original = source.folder() / name;
    const fs::path copy = checkpoint.folder() / name;
    if (!IsRegularFile(copy)) {
      problems.push_back({copy.string(), "the source's file", "none"});
    } else if (!SameBytes(copy, original)) {
      problems.push_back({copy.string(), "the source's bytes", "others"});
    }
  }
  return problems;
}

}  // namespace paroquant::pipeline
