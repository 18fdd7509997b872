#include "paroquant/io/output_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <functional>
#include <set>
#include <system_error>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"

namespace paroquant::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigFile = "config.json";
constexpr const char* kTemporaryExtension = ".tmp";

void ThrowIf(const std::error_code& error, const fs::path& path, const char* action) {
  if (error) throw SystemError(path.string(), action, error.value());
}

// The folder and its parents as far as they don't exist, the innermost first.
std::vector<fs::path> MissingFolders(fs::path folder) {
  std::vector<fs::path> missing;
  for (; !folder.empty() && !Exists(folder); folder = folder.parent_path()) {
    missing.push_back(folder);
  }
  return missing;
}

// The names of the files and links in the folder.
std::vector<std::string> FileNames(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& entry : FolderEntries(folder)) {
    if (!IsFolderItself(entry)) names.push_back(entry.filename().string());
  }
  return names;
}

bool IsTemporary(const std::string& name) {
  return name.starts_with(".") && name.ends_with(kTemporaryExtension);
}

// --overwrite is for old output; it must not empty somebody's home folder.
void RequireModelFolder(const fs::path& path) {
  const std::vector<std::string> names = FileNames(path);
  const auto is_ours = [](const std::string& name) {
    return name == kConfigFile || IsTemporary(name);
  };
  if (names.empty() || std::any_of(names.begin(), names.end(), is_ours)) return;
  throw Error(ErrorKind::kUsage, {.where = path.string(),
                                  .expected = "a model folder to overwrite, with a config.json",
                                  .found = fmt::format("\"{}\" and no config.json", names.front()),
                                  .hint = "Choose another folder, or empty this one yourself."});
}

// False for a path where nothing is.
bool RequireFolder(const fs::path& path) {
  if (!Exists(path)) return false;
  if (IsFolder(path)) return true;
  throw Error(ErrorKind::kUsage, {.where = path.string(),
                                  .expected = "a folder for the output",
                                  .found = "a file",
                                  .hint = "Choose another path."});
}

// The content of the folder, if it is there.
void RequireUsableContent(const fs::path& path, bool overwrite) {
  const std::vector<fs::path> entries = FolderEntries(path);
  if (entries.empty()) return;
  if (overwrite) return RequireModelFolder(path);
  throw Error(ErrorKind::kUsage,
              {.where = path.string(),
               .expected = "an empty or new folder for the output",
               .found = fmt::format("\"{}\" in it", entries.front().filename().string()),
               .hint = "Choose another one, or replace its content with --overwrite."});
}

}  // namespace

void OutputFolder::RequireUsable(const fs::path& path, bool overwrite) {
  if (!RequireFolder(path)) return;
  const FolderLock nobody_has_it(path);
  RequireUsableContent(path, overwrite);
}

bool OutputFolder::HoldsLeftoversOnly(const fs::path& path) {
  if (!RequireFolder(path)) return false;
  const auto is_leftover = [](const fs::path& entry) {
    return IsTemporary(entry.filename().string());
  };
  const std::vector<fs::path> entries = FolderEntries(path);
  return !entries.empty() && std::ranges::all_of(entries, is_leftover);
}

OutputFolder OutputFolder::Create(const fs::path& path, bool overwrite) {
  RequireUsable(path, overwrite);
  OutputFolder folder = MakeAndLock(path);
  RequireUsableContent(folder.path_, overwrite);  // another run may have been quicker
  folder.old_files_ = FileNames(folder.path_);
  folder.replaces_ = overwrite;
  folder.CheckWritable();
  return folder;
}

OutputFolder OutputFolder::Resume(const fs::path& path) {
  RequireFolder(path);
  OutputFolder folder = MakeAndLock(path);
  folder.old_files_ = FileNames(folder.path_);
  std::erase_if(folder.old_files_, [](const std::string& name) { return !IsTemporary(name); });
  folder.CheckWritable();
  return folder;
}

OutputFolder OutputFolder::MakeAndLock(const fs::path& path) {
  OutputFolder folder(path.has_filename() ? path
                                          : path.parent_path());  // without a slash at its end
  folder.created_ = MissingFolders(folder.path_);
  std::error_code error;
  fs::create_directories(folder.path_, error);
  ThrowIf(error, folder.path_, "create this folder");
  for (const fs::path& created : folder.created_) {
    SyncFolder(created.has_parent_path() ? created.parent_path() : fs::path("."));
  }
  folder.lock_.emplace(folder.path_);
  return folder;
}

OutputFolder::OutputFolder(OutputFolder&& other) noexcept
    : path_(std::move(other.path_)),
      created_(std::move(other.created_)),
      replaces_(other.replaces_),
      old_files_(std::move(other.old_files_)),
      staged_(std::move(other.staged_)),
      open_(std::exchange(other.open_, false)),
      lock_(std::move(other.lock_)) {}

OutputFolder::~OutputFolder() {
  if (open_) Abandon();
}

fs::path OutputFolder::Stage(const std::string& file_name) {
  assert(open_ && std::ranges::distance(fs::path(file_name)) <= 2);
  const auto is_it = [&](const StagedFile& file) { return file.name == file_name; };
  fs::path temporary = TemporaryPath(file_name);
  if (std::none_of(staged_.begin(), staged_.end(), is_it)) {
    staged_.push_back({file_name, temporary, path_ / file_name});
  }
  return temporary;
}

void OutputFolder::Commit() {
  assert(open_);
  for (const StagedFile& file : staged_) PrepareFolderOf(file);
  RemoveOldFiles();
  SyncFolder(path_);
  const auto is_config = [](const StagedFile& file) { return file.name == kConfigFile; };
  const auto config = std::stable_partition(staged_.begin(), staged_.end(), std::not_fn(is_config));
  std::for_each(staged_.begin(), config, [this](StagedFile& file) { Place(file); });
  SyncFolder(path_);
  std::for_each(config, staged_.end(), [this](StagedFile& file) { Place(file); });
  SyncFolder(path_);
  open_ = false;
}

fs::path OutputFolder::TemporaryPath(const std::string& file_name) const {
  std::string plain = file_name;
  std::ranges::replace(plain, '/', '%');
  return path_ / fmt::format(".{}{}", plain, kTemporaryExtension);
}

// By writing, as permissions alone do not tell: the file system may be read-only or out of space.
void OutputFolder::CheckWritable() {
  const fs::path probe = Stage("paroquant-probe");
  OutputFile(probe).Close();
  RemoveEntry(probe);
  staged_.clear();
}

// What is written through a link would lie outside the output.
void OutputFolder::PrepareFolderOf(const StagedFile& file) {
  const fs::path name = fs::path(file.name).parent_path();
  if (name.empty()) return;
  const fs::path folder = path_ / name;
  std::error_code error;
  const fs::file_status status = fs::symlink_status(folder, error);
  if (fs::is_directory(status)) {
    if (!replaces_) return;
    for (const std::string& old : FileNames(folder)) old_files_.push_back((name / old).string());
    return;
  }
  if (fs::exists(status)) {
    ThrowIf(std::make_error_code(std::errc::not_a_directory), folder, "use this as a folder");
  }
  fs::create_directory(folder, error);
  ThrowIf(error, folder, "create this folder");
  created_.insert(created_.begin(), folder);
}

void OutputFolder::RemoveOldFiles() {
  std::set<std::string> kept;
  for (const StagedFile& file : staged_) {
    kept.insert(file.name);
    kept.insert(file.temporary.filename().string());  // of a killed run, now written anew
  }
  kept.erase(kConfigFile);
  for (const std::string& name : old_files_) {
    if (!kept.contains(name)) RemoveEntry(path_ / name);
  }
}

void OutputFolder::Place(StagedFile& file) {
  std::error_code error;
  fs::rename(file.temporary, file.target, error);
  ThrowIf(error, file.target, "put this file in place");
  file.placed = true;
  if (fs::path(file.name).has_parent_path()) SyncFolder((path_ / file.name).parent_path());
}

void OutputFolder::Abandon() noexcept {
  std::error_code ignored;
  for (const StagedFile& file : staged_) {
    fs::remove(file.placed ? file.target : file.temporary, ignored);
  }
  for (const fs::path& folder : created_) fs::remove(folder, ignored);
}

}  // namespace paroquant::io
