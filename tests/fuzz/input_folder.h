// A folder for the files of a target, made once and written anew for every input.
#ifndef PAROQUANT_TESTS_FUZZ_INPUT_FOLDER_H_
#define PAROQUANT_TESTS_FUZZ_INPUT_FOLDER_H_

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "paroquant/base/file.h"
#include "tests/testing/paths.h"

namespace paroquant::fuzz {

class InputFolder {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }

  // Not synced, as WriteFile would: there are thousands a second.
  std::filesystem::path Write(const std::string& name, std::string_view content) const {
    const std::filesystem::path path = folder_.path() / name;
    OutputFile file(path);
    file.WriteAt(0, std::as_bytes(std::span(content)));
    file.Close();
    return path;
  }

 private:
  testing::TemporaryFolder folder_;
};

}  // namespace paroquant::fuzz

#endif  // PAROQUANT_TESTS_FUZZ_INPUT_FOLDER_H_
