#include "pipeline/fingerprint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "paroquant/base/checksum.h"
#include "paroquant/base/file.h"
#include "tests/io/test_files.h"
#include "tests/model/fixtures.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::pipeline {
namespace {

using paroquant::testing::ErrorOf;

constexpr size_t kHalves = (size_t{3} << 20) / 2 + 3;  // more than what is read at once
constexpr char kNaN[] = "\x00\x7E";

// Half tensors of that many elements, all 1, from an address that is not aligned on.
class Shard {
 public:
  void Add(const std::string& name, size_t elements) {
    header_ += fmt::format(R"({}"{}":{{"dtype":"F16","shape":[{}],"data_offsets":[{},{}]}})",
                           header_.empty() ? "{" : ",", name, elements, data_.size(),
                           data_.size() + 2 * elements);
    for (size_t i = 0; i < elements; ++i) data_.append("\x00\x3C", 2);
  }

  // Makes a NaN of an element, counted over all tensors.
  void Spoil(size_t element) { data_.replace(2 * element, 2, kNaN, 2); }

  void Write(const std::filesystem::path& path) const {
    const std::string header = header_ + (header_.size() % 2 == 0 ? "}" : " }");
    WriteFile(path, io::FileBytes(header, 0) + data_);
  }

 private:
  std::string header_;
  std::string data_;
};

class FingerprintTest : public ::testing::Test {
 protected:
  // A model of the shards, of whose tensors the index lists all but "unlisted".
  void WriteModel() {
    WriteFile(path_ / "config.json", model::testing::MinimalConfig("llama").dump());
    WriteFile(path_ / "model.safetensors.index.json",
              R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors","none":"2.safetensors",)"
              R"("c":"2.safetensors"}})");
    first_.Write(path_ / "1.safetensors");
    second_.Write(path_ / "2.safetensors");
  }

  const paroquant::testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path();
  Shard first_, second_;
};

TEST_F(FingerprintTest, HoldsSizeAndChecksumOfEachFile) {
  first_.Add("a", kHalves);
  first_.Add("unlisted", 5);
  first_.Spoil(kHalves + 2);  // nobody reads it
  second_.Add("b", 1);
  second_.Add("none", 0);
  second_.Add("c", kHalves);
  WriteModel();
  const io::Json files = Fingerprint(model::Checkpoint::Open(path_), {}).at("model");
  EXPECT_EQ(files.size(), 4U);
  for (const char* name :
       {"1.safetensors", "2.safetensors", "config.json", "model.safetensors.index.json"}) {
    const std::string bytes = ReadFile(path_ / name);
    EXPECT_EQ(files.at(name), fmt::format("{} bytes, crc32 {:08x}", bytes.size(),
                                          Crc32(std::as_bytes(std::span(bytes)))))
        << name;
  }
}

TEST_F(FingerprintTest, NumbersThatAreNotFiniteAreRefusedAsElsewhere) {
  first_.Add("a", 10);
  second_.Add("b", 7);
  second_.Add("none", 0);
  second_.Add("c", kHalves);
  second_.Spoil(7 + kHalves - 1);
  second_.Spoil(7 + kHalves - 2);
  WriteModel();
  const auto source = model::Checkpoint::Open(path_);
  const Error expected = ErrorOf([&] { model::RequireFinite(source.tensors()); });
  const Error error = ErrorOf([&] { Fingerprint(source, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_STREQ(error.what(), expected.what());
  EXPECT_EQ(error.parts().found, fmt::format("NaN or infinity at element {}", kHalves - 2));
}

}  // namespace
}  // namespace paroquant::pipeline
