// Calibration on conversations, and generate with a user's message, through a model's chat
// template.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::DataPath;
using ::testing::HasSubstr;
using testing::RunCli;
using testing::RunCliJson;

constexpr char kTemplate[] =
    "{{ bos_token }}{% for message in messages %}\n"
    "{% if message.role == 'robot' %}{{ raise_exception('No robots!') }}{% endif %}\n"
    "{{ message.role }}: {{ message.content }}{{ eos_token }}\n"
    "{% endfor %}\n"
    "{% if add_generation_prompt %}assistant:{% endif %}\n";

class ConversationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(model_);
    for (const auto& entry : fs::directory_iterator(DataPath("tiny-llama"))) {
      fs::create_symlink(entry.path(), model_ / entry.path().filename());
    }
    WriteFile(model_ / "chat_template.jinja", kTemplate);
  }

  std::vector<std::string> Quantize(const std::string& lines) const {
    WriteFile(folder_.path() / "chat.jsonl", lines);
    return {"quantize",
            "--model",
            model_.string(),
            "--out",
            (folder_.path() / "out").string(),
            "--calib",
            (folder_.path() / "chat.jsonl").string(),
            "--calib-sequences",
            "2",
            "--sequence-length",
            "64",
            "--recipe",
            "awq"};
  }

  const testing::TemporaryFolder folder_;
  const fs::path model_ = folder_.path() / "model";
};

TEST_F(ConversationTest, CalibrationTakesThem) {
  std::string lines;
  for (int i = 0; i < 60; ++i) {
    lines += R"({"messages": [{"role": "user", "content": "What is the number )" +
             std::to_string(i) + R"( good for?"}, {"role": "assistant", "content": "A lot."}]})" +
             "\n";
  }
  const io::Json result = RunCliJson(Quantize(lines));
  EXPECT_EQ(result.at("calibration").at("source"), "chat.jsonl");
  EXPECT_TRUE(fs::exists(folder_.path() / "out" / "chat_template.jinja"));
}

TEST_F(ConversationTest, ErrorsOfATemplateNameRecordAndLine) {
  const auto result =
      RunCli(Quantize("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n"
                      "{\"messages\": [{\"role\": \"robot\"}]}\n"));
  EXPECT_EQ(result.exit_code, 3) << result.error;
  EXPECT_THAT(result.error, HasSubstr("chat.jsonl:2: expected a conversation"));
  EXPECT_THAT(result.error, HasSubstr("\"No robots!\" at "));
  EXPECT_THAT(result.error, HasSubstr("chat_template.jinja:2"));
}

TEST_F(ConversationTest, WhatATemplateUsesThatIsUnknownIsNamed) {
  WriteFile(model_ / "chat_template.jinja", "a\n{% include 'b' %}");
  const auto result = RunCli(Quantize("{\"messages\": [{\"role\": \"user\"}]}\n"));
  EXPECT_EQ(result.exit_code, 4) << result.error;
  EXPECT_THAT(result.error, HasSubstr("chat_template.jinja:2"));
  EXPECT_THAT(result.error, HasSubstr("the tag \"include\""));
}

TEST_F(ConversationTest, GenerateAnswersAMessage) {
  const std::vector<std::string> words = {"generate", "--model", model_.string(), "--prompt",
                                          "Hello",    "--chat",  "--max-tokens",  "6"};
  const auto answer = RunCli(words);
  EXPECT_EQ(answer.exit_code, 0) << answer.error;
  // The template alone puts BOS there, so the same text without it goes on alike.
  const std::string written = "user: Hello<|end_of_text|>\nassistant:";
  const auto plain =
      RunCli({"generate", "--model", model_.string(), "--prompt", written, "--max-tokens", "6"});
  EXPECT_EQ(written + answer.out, plain.out);
}

TEST_F(ConversationTest, AModelWithoutATemplateIsToldApart) {
  fs::remove(model_ / "chat_template.jinja");
  const auto result =
      RunCli({"generate", "--model", model_.string(), "--prompt", "Hello", "--chat"});
  EXPECT_EQ(result.exit_code, 3) << result.error;
  EXPECT_THAT(result.error, HasSubstr("expected a chat template"));
}

}  // namespace
}  // namespace paroquant
