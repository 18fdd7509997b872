#include "base/memory_limit.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "paroquant/base/file.h"
#include "paroquant/base/matrix_store.h"
#include "tests/testing/paths.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;

class MemoryLimitTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_.path() / name).parent_path());
    WriteFile(folder_.path() / name, text);
  }
  uint64_t Limit() const {
    return ControlGroupMemory(folder_.path() / "cgroup", folder_.path() / "membership");
  }

 private:
  const testing::TemporaryFolder folder_;
};

constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();

TEST_F(MemoryLimitTest, WithoutGroupsThereIsNone) { EXPECT_EQ(Limit(), kNone); }

TEST_F(MemoryLimitTest, TheLeastOfAllGroupsAboveCounts) {
  Write("membership", "1:name=systemd:/elsewhere\n0::/user.slice/job\n");
  Write("cgroup/user.slice/job/memory.max", "max\n");
  EXPECT_EQ(Limit(), kNone);
  Write("cgroup/user.slice/memory.max", "3000000000\n");
  EXPECT_EQ(Limit(), 3000000000U);
  Write("cgroup/user.slice/job/memory.max", "1000000000\n");
  Write("cgroup/user.slice/other/memory.max", "5\n");
  EXPECT_EQ(Limit(), 1000000000U);
}

TEST_F(MemoryLimitTest, AContainerSeesItsOwnAsTheRoot) {
  Write("membership", "0::/\n");
  Write("cgroup/memory.max", "2000000000\n");
  EXPECT_EQ(Limit(), 2000000000U);
}

TEST_F(MemoryLimitTest, Version1) {
  Write("membership", "4:memory:/docker/abc\n");
  Write("cgroup/memory/memory.limit_in_bytes", "7000000000\n");
  EXPECT_EQ(Limit(), 7000000000U);
}

TEST_F(MemoryLimitTest, ASixteenthOfItIsTheBudget) {
  EXPECT_GT(DefaultMemoryBudget(), 0U);
  EXPECT_LE(DefaultMemoryBudget(), ControlGroupMemory("/sys/fs/cgroup", "/proc/self/cgroup") / 16);
}

}  // namespace
}  // namespace paroquant
