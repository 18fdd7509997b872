// A folder that is complete or not there.
#ifndef PAROQUANT_IO_OUTPUT_FOLDER_H_
#define PAROQUANT_IO_OUTPUT_FOLDER_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/io/folder_lock.h"

namespace paroquant::io {

// Collects files under temporary names and gives them their final ones all at once, or not at all:
// until Commit() has returned no loader finds a model here that is half old and half new. While it
// lives no other process gets an OutputFolder at the same place.
class OutputFolder {
 public:
  // Creates the folder and its parents where they are missing. Throws kUsage if `path` is
  // something other than an empty folder (with `overwrite`: other than a folder) or if another
  // process has it, kSystem if it can't be created or written to.
  static OutputFolder Create(const std::filesystem::path& path, bool overwrite);
  // Takes a folder where a run was killed, or an empty or new one. What that run left is replaced
  // or removed at Commit(), everything else stays.
  static OutputFolder Resume(const std::filesystem::path& path);

  // The part of Create that looks and changes nothing: throws kUsage if `path` is not what Create
  // takes, kSystem if it can't be read.
  static void RequireUsable(const std::filesystem::path& path, bool overwrite);
  // True for a folder that holds files that a killed run left and no others.
  static bool HoldsLeftoversOnly(const std::filesystem::path& path);

  OutputFolder(OutputFolder&& other) noexcept;
  OutputFolder& operator=(OutputFolder&&) = delete;
  // Without a Commit() removes what was staged and the folders that Create made, if they are empty
  // then. Old content is as it was.
  ~OutputFolder();

  const std::filesystem::path& path() const { return path_; }

  // Where to write the file that will be called `file_name`, a plain name or "folder/name": a
  // hidden name right inside the output that no loader takes for a model's file. Who writes it
  // syncs it too, as WriteFile, CopyFile and SafetensorsWriter do. Asking again gives the same
  // path.
  std::filesystem::path Stage(const std::string& file_name);

  // Puts the staged files in place. With `overwrite` the files that were here at Create() and are
  // not replaced go, also in folders that staged files go to; other folders in here stay. Without a
  // config.json no loader takes a folder for a model, so the old one goes first and the new one
  // comes last, each step made durable. Throws kSystem if a folder that a staged file goes to is
  // something else, a link say.
  void Commit();

 private:
  struct StagedFile {
    std::string name;
    // Kept, as taking back must not need memory.
    std::filesystem::path temporary;
    std::filesystem::path target;
    bool placed = false;  // has its final name
  };

  explicit OutputFolder(std::filesystem::path path) : path_(std::move(path)) {}
  static OutputFolder MakeAndLock(const std::filesystem::path& path);
  std::filesystem::path TemporaryPath(const std::string& file_name) const;
  void CheckWritable();
  void PrepareFolderOf(const StagedFile& file);
  void RemoveOldFiles();
  void Place(StagedFile& file);
  void Abandon() noexcept;

  std::filesystem::path path_;
  std::vector<std::filesystem::path> created_;  // folders made here, the innermost first
  bool replaces_ = false;                       // old files go
  std::vector<std::string> old_files_;          // names of files that go at Commit
  std::vector<StagedFile> staged_;
  bool open_ = true;  // neither committed nor moved from
  std::optional<FolderLock> lock_;
};

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_OUTPUT_FOLDER_H_
