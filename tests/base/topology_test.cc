#include "base/topology.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/testing/paths.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;

void WriteSiblings(const fs::path& cpus, int processor, const std::string& siblings) {
  const fs::path folder = cpus / ("cpu" + std::to_string(processor)) / "topology";
  fs::create_directories(folder);
  std::ofstream(folder / "thread_siblings_list") << siblings << "\n";
}

TEST(TopologyTest, ThreadsOfACoreCountOnce) {
  const paroquant::testing::TemporaryFolder folder;
  const fs::path& cpus = folder.path();
  WriteSiblings(cpus, 0, "0,2");
  WriteSiblings(cpus, 1, "1,3");
  WriteSiblings(cpus, 2, "0,2");
  WriteSiblings(cpus, 3, "1,3");
  EXPECT_EQ(CountCores(std::vector{0, 1, 2, 3}, cpus), 2);
  EXPECT_EQ(CountCores(std::vector{0, 2}, cpus), 1);
  EXPECT_EQ(CountCores(std::vector{3}, cpus), 1);
}

TEST(TopologyTest, ProcessorsOfUnknownTopologyAreCores) {
  EXPECT_EQ(CountCores(std::vector{0, 1, 7}, "/no/such/folder"), 3);
}

}  // namespace
}  // namespace paroquant
