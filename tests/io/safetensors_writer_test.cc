#include "paroquant/io/safetensors_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "paroquant/io/json.h"
#include "paroquant/io/tensor_folder.h"
#include "tests/io/test_files.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::io {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kOneShard = uint64_t{1} << 40;

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

// Bytes that tell a tensor by its name.
std::string ContentOf(const TensorSpec& spec) {
  size_t size = DTypeSize(spec.dtype);
  for (const int64_t extent : spec.shape) size *= static_cast<size_t>(extent);
  std::string text;
  while (text.size() < size) text += spec.name;
  return text.substr(0, size);
}

const std::vector<TensorSpec> kTensors{{"bytes", DType::kU8, {3}},
                                       {"halves", DType::kF16, {2, 3}},
                                       {"wide", DType::kI64, {2}},
                                       {"none", DType::kF32, {0, 4}},
                                       {"scalar \"\\\n\xc3\xa4", DType::kF32, {}},
                                       {"more halves", DType::kBF16, {5}}};

// Writes kTensors, the last first, into root/out.
void WriteModel(const std::filesystem::path& path, uint64_t shard_size) {
  OutputFolder folder = OutputFolder::Create(path, false);
  SafetensorsWriter writer(folder, kTensors, shard_size, {{"format", "pt"}});
  for (auto spec = kTensors.rbegin(); spec != kTensors.rend(); ++spec) {
    writer.Write(spec->name, Bytes(ContentOf(*spec)));
  }
  writer.Finish();
  folder.Commit();
}

class RoundTripTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(RoundTripTest, WhatWasWrittenIsRead) {
  const testing::TemporaryFolder root;
  WriteModel(root.path() / "out", GetParam());
  const TensorFolder model = TensorFolder::Open(root.path() / "out");
  EXPECT_EQ(model.tensors().size(), kTensors.size());
  EXPECT_EQ(model.metadata().at("format"), "pt");
  for (const TensorSpec& spec : kTensors) {
    const TensorView& view = model.Get(spec.name);
    EXPECT_EQ(view.dtype, spec.dtype);
    EXPECT_EQ(view.shape, spec.shape);
    const std::string content = ContentOf(spec);
    EXPECT_TRUE(std::ranges::equal(view.bytes, Bytes(content))) << spec.name;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(view.bytes.data()) % DTypeSize(spec.dtype), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(ShardSizes, RoundTripTest, ::testing::Values(0, 1, 10, 16, kOneShard));

TEST(SafetensorsWriterTest, SameTensorsGiveTheSameBytes) {
  const testing::TemporaryFolder root;
  WriteModel(root.path() / "a", kOneShard);
  WriteModel(root.path() / "b", kOneShard);
  EXPECT_THAT(NamesIn(root.path() / "a"), ElementsAre("model.safetensors"));
  EXPECT_EQ(ReadFile(root.path() / "a" / "model.safetensors"),
            ReadFile(root.path() / "b" / "model.safetensors"));
}

TEST(SafetensorsWriterTest, HeaderIsWhatTheFormatAsksFor) {
  const testing::TemporaryFolder root;
  OutputFolder folder = OutputFolder::Create(root.path() / "out", false);
  SafetensorsWriter writer(folder, {{"b", DType::kU8, {2}}, {"a", DType::kF16, {1}}}, kOneShard,
                           {{"format", "pt"}});
  writer.Write("b", Bytes("bb"));
  writer.Write("a", Bytes("aa"));
  writer.Finish();
  folder.Commit();
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
      R"("b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(ReadFile(root.path() / "out" / "model.safetensors"), FileBytes(padded, 0) + "aabb");
}

TEST(SafetensorsWriterTest, ShardsFillUpInOrderAndBigTensorsStandAlone) {
  const testing::TemporaryFolder root;
  const std::vector<TensorSpec> specs{{"a", DType::kU8, {4}},
                                      {"b", DType::kU8, {6}},
                                      {"big", DType::kU8, {99}},
                                      {"c", DType::kU8, {1}}};
  OutputFolder folder = OutputFolder::Create(root.path() / "out", false);
  SafetensorsWriter writer(folder, specs, 10, {});
  for (const TensorSpec& spec : specs) writer.Write(spec.name, Bytes(ContentOf(spec)));
  writer.Finish();
  folder.Commit();
  const Json index = ReadJsonFile(root.path() / "out" / "model.safetensors.index.json");
  EXPECT_EQ(index, ParseJson(R"({"metadata": {"total_size": 110}, "weight_map": {
                                 "a": "model-00001-of-00003.safetensors",
                                 "b": "model-00001-of-00003.safetensors",
                                 "big": "model-00002-of-00003.safetensors",
                                 "c": "model-00003-of-00003.safetensors"}})",
                             "expected"));
}

TEST(SafetensorsWriterTest, ModelWithoutTensorsIsAFile) {
  const testing::TemporaryFolder root;
  OutputFolder folder = OutputFolder::Create(root.path() / "out", false);
  SafetensorsWriter(folder, {}, kOneShard, {}).Finish();
  folder.Commit();
  EXPECT_EQ(ReadFile(root.path() / "out" / "model.safetensors"), FileBytes("{}      ", 0));
}

TEST(SafetensorsWriterTest, MistakesOfTheCallerAreInternalErrors) {
  const testing::TemporaryFolder root;
  OutputFolder folder = OutputFolder::Create(root.path() / "out", false);
  SafetensorsWriter writer(folder, {{"a", DType::kU8, {2}}}, kOneShard, {});
  const auto expect_fault = [](const char* message, const std::function<void()>& action) {
    const Error error = ErrorOf(action);
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_THAT(error.what(), HasSubstr(message));
  };
  expect_fault("declared only", [&] { writer.Finish(); });
  expect_fault("declared tensor", [&] { writer.Write("b", Bytes("xx")); });
  expect_fault("found 3 bytes", [&] { writer.Write("a", Bytes("xxx")); });
  writer.Write("a", Bytes("xx"));
  expect_fault("written twice", [&] { writer.Write("a", Bytes("xx")); });
  expect_fault("declared twice", [&] {
    SafetensorsWriter(folder, {{"a", DType::kU8, {2}}, {"a", DType::kU8, {2}}}, kOneShard, {});
  });
}

// Bounds the size of the files this process writes, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &old_limit_);
    const rlimit limit{bytes, old_limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_limit_{};
  void (*old_handler_)(int) = nullptr;
};

TEST(SafetensorsWriterTest, FullDiskShowsBeforeTheFirstTensorAndLeavesNothing) {
  const testing::TemporaryFolder root;
  {
    const FileSizeLimit limit(4096);
    OutputFolder folder = OutputFolder::Create(root.path() / "out", false);
    const Error error = ErrorOf([&] {
      SafetensorsWriter(folder, {{"a", DType::kU8, {100}}, {"b", DType::kF32, {10'000}}}, 200, {});
    });
    EXPECT_EQ(error.kind(), ErrorKind::kSystem);
    EXPECT_THAT(error.what(), HasSubstr("model-00002-of-00002.safetensors"));
  }
  EXPECT_THAT(NamesIn(root.path()), IsEmpty());
}

}  // namespace
}  // namespace paroquant::io
