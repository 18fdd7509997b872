// Where tests find their data and put their files.
#ifndef PAROQUANT_TESTS_TESTING_PATHS_H_
#define PAROQUANT_TESTS_TESTING_PATHS_H_

#include <filesystem>

namespace paroquant::testing {

// A file of the repository, by its path there; of tests/data; of tests/goldens.
std::filesystem::path ProjectPath(const std::filesystem::path& name);
std::filesystem::path DataPath(const std::filesystem::path& name);
std::filesystem::path GoldenPath(const std::filesystem::path& name);

// The folder of large or foreign test data beside the repository. It may be absent: guard a test
// that needs it with PAROQUANT_SKIP_WITHOUT_SHARED().
std::filesystem::path SharedPath(const std::filesystem::path& name);

// A fresh empty folder, removed with its content at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace paroquant::testing

#define PAROQUANT_SKIP_WITHOUT_SHARED()                                                  \
  if (!std::filesystem::exists(paroquant::testing::SharedPath("README.md"))) {           \
    GTEST_SKIP() << "no folder shared/ beside the repository: this test needs its data"; \
  }                                                                                      \
  static_assert(true, "")

#endif  // PAROQUANT_TESTS_TESTING_PATHS_H_
