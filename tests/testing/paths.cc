#include "tests/testing/paths.h"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include <stdexcept>
#include <string>

namespace paroquant::testing {

std::filesystem::path ProjectPath(const std::filesystem::path& name) {
  return std::filesystem::path(PAROQUANT_PROJECT_ROOT) / name;
}

std::filesystem::path DataPath(const std::filesystem::path& name) {
  return ProjectPath("tests/data") / name;
}

std::filesystem::path GoldenPath(const std::filesystem::path& name) {
  return ProjectPath("tests/goldens") / name;
}

std::filesystem::path SharedPath(const std::filesystem::path& name) {
  return std::filesystem::path(PAROQUANT_SHARED_ROOT) / name;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "paroquant-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace paroquant::testing
