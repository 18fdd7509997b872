// Templates and special tokens out of a model's folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "paroquant/base/file.h"
#include "paroquant/chat/chat_template.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::chat {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;

class TemplateFilesTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    WriteFile(folder_.path() / name, text);
  }

  std::string Render(const io::Json& tools = nullptr) const {
    return ChatTemplate::Load(folder_.path())
        .Render(
            {.messages = io::Json::parse(R"([{"role": "user", "content": "hi"}])"), .tools = tools},
            "record");
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(TemplateFilesTest, TokenizerConfigHasTemplateAndTokens) {
  Write(
      "tokenizer_config.json",
      R"({"chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}",
            "bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": null})");
  EXPECT_EQ(Render(), "<s>hi</s>");
  Write("special_tokens_map.json", R"({"bos_token": "<b>", "pad_token": "<p>"})");
  EXPECT_EQ(Render(), "<s>hi</s><p>");
}

TEST_F(TemplateFilesTest, AFileOfItsOwnComesFirst) {
  Write("tokenizer_config.json", R"({"chat_template": "config"})");
  Write("chat_template.jinja", "file");
  EXPECT_EQ(Render(io::Json::array()), "file");
  Write("additional_chat_templates/tool_use.jinja", "tools");
  EXPECT_EQ(Render(), "file");
  EXPECT_EQ(Render(io::Json::array()), "tools");
}

TEST_F(TemplateFilesTest, OneOfSeveralIsForTools) {
  Write("tokenizer_config.json", R"({"chat_template": [
      {"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]})");
  EXPECT_EQ(Render(), "a");
  EXPECT_EQ(Render(io::Json::array()), "b");
}

TEST_F(TemplateFilesTest, FaultsNameTheFile) {
  EXPECT_THAT(ErrorOf([&] { Render(); }).what(), HasSubstr(folder_.path().string()));
  Write("tokenizer_config.json", R"({"chat_template": "a\n{{ x | slice(2) }}"})");
  const Error error = ErrorOf([&] { Render(); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("tokenizer_config.json: chat_template:2: expected"));
  Write("tokenizer_config.json", R"({"chat_template": [{"name": "x", "template": "a"}]})");
  EXPECT_THAT(ErrorOf([&] { Render(); }).what(), HasSubstr("none of the name \"default\""));
  Write("chat_template.jinja", "\xFF");
  EXPECT_THAT(ErrorOf([&] { Render(); }).what(), HasSubstr("chat_template.jinja: expected text"));
}

}  // namespace
}  // namespace paroquant::chat
