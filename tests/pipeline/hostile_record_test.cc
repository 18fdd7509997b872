// Records that are whole, with the right checksum, but were not written by a run.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "paroquant/io/record_file.h"
#include "paroquant/pipeline/unfinished_run.h"
#include "pipeline/run_state.h"
#include "tests/testing/paths.h"

namespace paroquant::pipeline {
namespace {

using io::Json;

class HostileRecordTest : public ::testing::Test {
 protected:
  void Write(const char* name, const Json& description) const {
    std::filesystem::create_directory(state_);  // a run may have removed it, as worth nothing
    io::RecordWriter(state_ / name).Commit(description);
  }
  // Is the text in there taken?
  bool TakesText() const {
    RunState state(folder_.path(), {.fingerprint = nullptr, .blocks = 1}, /*resumes=*/true);
    const bool taken = state.LoadText().has_value();
    EXPECT_EQ(state.notes().size(), taken ? 0 : 1);
    return taken;
  }

  testing::TemporaryFolder folder_;
  const std::filesystem::path state_ = folder_.path() / ".paroquant-state";
};

TEST_F(HostileRecordTest, ADescriptionThatIsNoObjectIsDropped) {
  for (const Json& description : {Json(5), Json("x"), Json::array(), Json(nullptr)}) {
    Write("text", description);
    EXPECT_FALSE(TakesText()) << description;
    Write("run", description);
    EXPECT_NE(FindUnfinishedRun(folder_.path())->problem, "") << description;
  }
}

TEST_F(HostileRecordTest, ATextThatIsLargerThanItsFileIsDropped) {
  constexpr auto kMost = std::numeric_limits<uint64_t>::max();
  for (const auto& [length, sequences] :
       {std::pair{kMost, uint64_t{1}}, {kMost / 4, 4}, {1, kMost}, {0, kMost}}) {
    Write("text", {{"fingerprint", nullptr},
                   {"source", "x"},
                   {"length", length},
                   {"sequences", sequences},
                   {"held_out", 0}});
    EXPECT_FALSE(TakesText()) << length << " x " << sequences;
  }
}

TEST_F(HostileRecordTest, ARunOfTooManyBlocksIsNoEndlessSearch) {
  Write("run", {{"fingerprint", Json::object()},
                {"blocks", std::numeric_limits<int64_t>::max()},
                {"overwrite", false},
                {"model", "x"}});
  EXPECT_EQ(FindUnfinishedRun(folder_.path())->finished_blocks, 0);
}

}  // namespace
}  // namespace paroquant::pipeline
