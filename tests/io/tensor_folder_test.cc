#include "paroquant/io/tensor_folder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "tests/io/test_files.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::io {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

std::vector<std::string> Names(const TensorFolder& folder) {
  std::vector<std::string> names;
  for (const TensorView& tensor : folder.tensors()) names.push_back(tensor.name);
  return names;
}

// A model of two shards "1.safetensors" with a and c, "2.safetensors" with b.
class ShardedFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSmallFile(path() / "1.safetensors", {"a", "c"});
    WriteSmallFile(path() / "2.safetensors", {"b"});
    WriteIndex({{"a", "1.safetensors"}, {"b", "2.safetensors"}, {"c", "1.safetensors"}});
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  void WriteIndexText(std::string_view text) const {
    WriteFile(path() / "model.safetensors.index.json", text);
  }
  void WriteIndex(const std::map<std::string, std::string>& weight_map) const {
    std::string text;
    for (const auto& [tensor, file] : weight_map) {
      text += fmt::format("{}\"{}\":\"{}\"", text.empty() ? "" : ",", tensor, file);
    }
    WriteIndexText(fmt::format("{{\"weight_map\":{{{}}}}}", text));
  }
  // The error of opening the folder.
  Error OpenError() const {
    return ErrorOf([&] { TensorFolder::Open(path()); });
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(ShardedFolderTest, TensorsComeShardByShard) {
  const TensorFolder folder = TensorFolder::Open(path());
  EXPECT_THAT(Names(folder), ElementsAre("a", "c", "b"));
  EXPECT_EQ(folder.Get("b").file, path() / "2.safetensors");
  EXPECT_THAT(folder.files(), ElementsAre(path() / "1.safetensors", path() / "2.safetensors",
                                          path() / "model.safetensors.index.json"));
  EXPECT_EQ(folder.Find("d"), nullptr);
}

TEST_F(ShardedFolderTest, TensorsThatTheIndexDoesNotListAreLeftOut) {
  WriteIndex({{"a", "1.safetensors"}, {"b", "2.safetensors"}});
  EXPECT_THAT(Names(TensorFolder::Open(path())), ElementsAre("a", "b"));
}

TEST_F(ShardedFolderTest, MissingShardIsNamed) {
  std::filesystem::remove(path() / "2.safetensors");
  const Error error = OpenError();
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.what(), HasSubstr("no \"2.safetensors\""));
}

TEST_F(ShardedFolderTest, TensorThatItsShardLacksIsNamed) {
  WriteIndex({{"a", "1.safetensors"}, {"d", "2.safetensors"}});
  const Error error = OpenError();
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.what(), HasSubstr("tensor \"d\" in 2.safetensors"));
}

TEST_F(ShardedFolderTest, TensorInTwoShardsIsRefused) {
  WriteSmallFile(path() / "2.safetensors", {"a", "b"});
  const Error error = OpenError();
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.what(), HasSubstr("expected it in \"1.safetensors\" only"));
  EXPECT_THAT(error.what(), HasSubstr("found it in \"2.safetensors\""));
}

TEST_F(ShardedFolderTest, ShardsOutsideTheFolderAreRefused) {
  for (const char* name : {"../1.safetensors", "/1.safetensors", "sub/1.safetensors", "..", ".", "",
                           "..\\\\1.safetensors", "1\\u0000.safetensors"}) {
    WriteIndex({{"a", name}});
    const Error error = OpenError();
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << name;
    EXPECT_THAT(error.what(), HasSubstr("expected the name of a file beside the index")) << name;
  }
}

TEST_F(ShardedFolderTest, BadIndexIsRefused) {
  const std::string deep(100'000, '[');
  for (const char* text :
       {deep.c_str(), "", "{", "[]", "7", "{}", R"({"weight_map":[]})", R"({"weight_map":{}})",
        R"({"weight_map":{"a":1}})", R"({"weight_map":{"a":null}})",
        R"({"weight_map":{"a":"1.safetensors","a":"2.safetensors"}})"}) {
    WriteIndexText(text);
    const Error error = OpenError();
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << text;
    EXPECT_THAT(error.what(), HasSubstr("model.safetensors.index.json")) << text;
  }
}

TEST_F(ShardedFolderTest, ShardThatIsAFolderIsRefused) {
  std::filesystem::create_directory(path() / "d.safetensors");
  WriteIndex({{"a", "d.safetensors"}});
  EXPECT_EQ(OpenError().kind(), ErrorKind::kInput);
}

// As the Hugging Face cache has its files.
TEST_F(ShardedFolderTest, LinksToFilesElsewhereAreFollowed) {
  const testing::TemporaryFolder elsewhere;
  for (const char* name : {"1.safetensors", "2.safetensors", "model.safetensors.index.json"}) {
    std::filesystem::rename(path() / name, elsewhere.path() / name);
    std::filesystem::create_symlink(elsewhere.path() / name, path() / name);
  }
  EXPECT_THAT(Names(TensorFolder::Open(path())), ElementsAre("a", "c", "b"));
}

TEST_F(ShardedFolderTest, LinksThatLeadToNoFileAreRefused) {
  const auto link_to = [&](const char* target) {
    std::filesystem::remove(path() / "2.safetensors");
    std::filesystem::create_symlink(target, path() / "2.safetensors");
    const Error error = OpenError();
    EXPECT_THAT(error.what(), HasSubstr("2.safetensors")) << target;
    return error.kind();
  };
  EXPECT_EQ(link_to("absent"), ErrorKind::kInput);
  EXPECT_EQ(link_to("."), ErrorKind::kInput);
  EXPECT_EQ(link_to("2.safetensors"), ErrorKind::kInput) << "a loop";
}

TEST_F(ShardedFolderTest, EmptyFilesAreRefused) {
  for (const char* name : {"2.safetensors", "model.safetensors.index.json"}) {
    WriteFile(path() / name, "");
    const Error error = OpenError();
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr(name));
  }
}

TEST(TensorFolderTest, OtherSafetensorsFilesAreNoShards) {
  const TensorFolder folder = TensorFolder::Open(testing::GoldenPath("models/llama_fp32"));
  EXPECT_THAT(folder.files(),
              ElementsAre(testing::GoldenPath("models/llama_fp32/model.safetensors")));
  EXPECT_EQ(folder.Find("logits"), nullptr);
  EXPECT_EQ(folder.metadata().at("format"), "pt");
}

TEST(TensorFolderTest, ShardedModelOpens) {
  const TensorFolder folder = TensorFolder::Open(testing::GoldenPath("models/llama_sharded3"));
  EXPECT_EQ(folder.files().size(), 4U);
  int64_t bytes = 0;
  for (const TensorView& tensor : folder.tensors()) {
    bytes += static_cast<int64_t>(tensor.bytes.size());
    EXPECT_EQ(folder.Find(tensor.name), &tensor);
  }
  EXPECT_EQ(bytes, 60352);  // the index's total_size
  EXPECT_EQ(folder.Get("lm_head.weight").file.filename(), "model-00001-of-00003.safetensors");
}

TEST(TensorFolderTest, AbsentTensorHasTheNearestNameAsHint) {
  const TensorFolder folder = TensorFolder::Open(testing::GoldenPath("models/llama_fp32"));
  const auto hint = [&](const char* name) {
    const Error error = ErrorOf([&] { folder.Get(name); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr(name));
    EXPECT_EQ(error.parts().where, testing::GoldenPath("models/llama_fp32").string());
    return error.parts().hint;
  };
  EXPECT_THAT(hint("model.layers.1.self_attn.q_prj.weight"),
              HasSubstr("\"model.layers.1.self_attn.q_proj.weight\""));
  EXPECT_THAT(hint("language_model.model.embed_tokens.weight"),
              HasSubstr("\"model.embed_tokens.weight\""));
  EXPECT_THAT(hint("zzz"), HasSubstr("config.json"));
}

TEST(TensorFolderTest, FolderWithoutWeightsIsRefused) {
  const testing::TemporaryFolder folder;
  const auto open = [&] { TensorFolder::Open(folder.path()); };
  EXPECT_EQ(ErrorOf(open).kind(), ErrorKind::kInput);
  WriteFile(folder.path() / "pytorch_model.bin", "x");
  EXPECT_EQ(ErrorOf(open).kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(ErrorOf(open).what(), HasSubstr("pytorch_model.bin"));
  EXPECT_THAT(ErrorOf(open).parts().hint, HasSubstr("Convert"));
}

TEST(TensorFolderTest, PathThatIsNoFolderIsRefused) {
  const testing::TemporaryFolder folder;
  WriteFile(folder.path() / "f", "x");
  EXPECT_THAT(ErrorOf([&] { TensorFolder::Open(folder.path() / "f"); }).what(),
              HasSubstr("found a file"));
  const Error error = ErrorOf([&] { TensorFolder::Open(folder.path() / "absent"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.what(), HasSubstr("No such file"));
}

}  // namespace
}  // namespace paroquant::io
