#include "paroquant/model/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "paroquant/base/half.h"
#include "paroquant/io/safetensors_writer.h"
#include "tests/model/fixtures.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::model {
namespace {

using io::DType;
using paroquant::testing::ErrorOf;
using paroquant::testing::TemporaryFolder;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr uint64_t kOneShard = uint64_t{1} << 40;

struct Tensor {
  std::string name;
  DType dtype;
  std::vector<float> values;
};

std::string Encode(DType dtype, const std::vector<float>& values) {
  std::string bytes;
  const auto append = [&](const auto& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  for (const float value : values) {
    if (dtype == DType::kF16) {
      append(FloatToHalf(value));
    } else if (dtype == DType::kBF16) {
      append(FloatToBFloat16(value));
    } else if (dtype == DType::kF32) {
      append(value);
    } else {
      append(static_cast<int32_t>(0x7FC00000));  // NaN, if it were a float
    }
  }
  return bytes;
}

// Writes a model of one-dimensional tensors into a folder and opens it.
Checkpoint WrittenCheckpoint(const std::filesystem::path& path,
                             const std::vector<Tensor>& tensors) {
  io::OutputFolder folder = io::OutputFolder::Create(path, false);
  std::vector<io::TensorSpec> specs;
  for (const Tensor& tensor : tensors) {
    specs.push_back({tensor.name, tensor.dtype, {std::ssize(tensor.values)}});
  }
  io::SafetensorsWriter writer(folder, specs, kOneShard, {});
  for (const Tensor& tensor : tensors) {
    const std::string bytes = Encode(tensor.dtype, tensor.values);
    writer.Write(tensor.name, std::as_bytes(std::span(bytes)));
  }
  writer.Finish();
  WriteFile(folder.Stage("config.json"), testing::MinimalConfig("llama").dump());
  folder.Commit();
  return Checkpoint::Open(path);
}

TEST(CheckpointTest, FloatsOfEveryWidthAreDecoded) {
  const std::vector<float> values = {0.0F, -1.5F, 65504.0F, 0x1.0p-14F, 3.0F};
  const TemporaryFolder root;
  const Checkpoint checkpoint = WrittenCheckpoint(
      root.path() / "m", {{"half", DType::kF16, values},
                          {"brain", DType::kBF16, {0.0F, -1.5F, 0x1.0p100F, 0x1.0p-100F, 3.0F}},
                          {"single", DType::kF32, values}});
  EXPECT_EQ(DecodeFloats(checkpoint.FloatTensor("half", {5})), values);
  EXPECT_EQ(DecodeFloats(checkpoint.FloatTensor("single", {5})), values);
  EXPECT_EQ(DecodeFloats(checkpoint.FloatTensor("brain", {5})),
            (std::vector<float>{0.0F, -1.5F, 0x1.0p100F, 0x1.0p-100F, 3.0F}));
  for (const char* name : {"half", "single"}) {
    std::vector<float> part(4, -7.0F);
    DecodeFloats(checkpoint.FloatTensor(name, {5}), 1, 3, part.data());
    EXPECT_EQ(part, (std::vector<float>{-1.5F, 65504.0F, 0x1.0p-14F, -7.0F})) << name;
  }
}

TEST(CheckpointTest, TensorsThatDoNotFitAreNamed) {
  const TemporaryFolder root;
  const Checkpoint checkpoint = WrittenCheckpoint(
      root.path() / "m",
      {{"model.norm.weight", DType::kF16, {1, 2, 3}}, {"codes", DType::kI32, {1, 2}}});
  const Error shape = ErrorOf([&] { checkpoint.FloatTensor("model.norm.weight", {3, 1}); });
  EXPECT_EQ(shape.kind(), ErrorKind::kInput);
  EXPECT_THAT(shape.what(), HasSubstr("model.safetensors: tensor \"model.norm.weight\": expected "
                                      "shape [3, 1] by config.json, found [3]"));
  const Error dtype = ErrorOf([&] { checkpoint.FloatTensor("codes", {2}); });
  EXPECT_EQ(dtype.kind(), ErrorKind::kInput);
  EXPECT_THAT(dtype.what(), HasSubstr("tensor \"codes\": expected F16, BF16 or F32, found I32"));
  const Error absent = ErrorOf([&] { checkpoint.FloatTensor("model.norm.wieght", {3}); });
  EXPECT_EQ(absent.kind(), ErrorKind::kInput);
  EXPECT_THAT(absent.parts().hint, HasSubstr("\"model.norm.weight\""));
}

TEST(CheckpointTest, TheFirstWeightThatIsNotFiniteIsNamed) {
  struct BadWeight {
    DType dtype;
    size_t element;
    float value;
  };
  // Around the edge of what is looked at together.
  for (const BadWeight& c : {BadWeight{DType::kF16, 0, NAN},
                             {DType::kF16, 4095, -INFINITY},
                             {DType::kBF16, 4096, NAN},
                             {DType::kBF16, 9999, INFINITY},
                             {DType::kF32, 8191, NAN},
                             {DType::kF32, 9998, INFINITY}}) {
    std::vector<float> values(10'000, 1.0F);
    values[c.element] = c.value;
    values.back() = std::isfinite(values.back()) ? NAN : values.back();
    const TemporaryFolder root;
    const Checkpoint checkpoint = WrittenCheckpoint(
        root.path() / "m", {{"good", c.dtype, {1, 2, 3}}, {"spoilt.weight", c.dtype, values}});
    const Error error = ErrorOf([&] { RequireFinite(checkpoint.tensors()); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.parts().where, EndsWith("tensor \"spoilt.weight\""));
    EXPECT_THAT(error.parts().found, EndsWith("element " + std::to_string(c.element)));
  }
}

TEST(CheckpointTest, IntegersAndEmptyTensorsAreAlwaysFinite) {
  const TemporaryFolder root;
  const Checkpoint checkpoint = WrittenCheckpoint(
      root.path() / "m",
      {{"codes", DType::kI32, {0, 0}}, {"none", DType::kF16, {}}, {"one", DType::kF32, {1}}});
  EXPECT_NO_THROW(RequireFinite(checkpoint.tensors()));
}

TEST(CheckpointTest, FoldersWithoutSettingsAreRefused) {
  const TemporaryFolder root;
  for (const char* name : {".", "absent"}) {
    const Error error = ErrorOf([&] { Checkpoint::Open(root.path() / name); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.parts().expected, HasSubstr("config.json"));
  }
}

}  // namespace
}  // namespace paroquant::model
