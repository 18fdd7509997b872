#include "paroquant/chat/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::chat {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;

Conversation MakeConversation(const io::Json& vector) {
  Conversation conversation{.messages = vector.at("messages")};
  if (vector.contains("tools")) conversation.tools = vector.at("tools");
  conversation.add_generation_prompt = vector.value("add_generation_prompt", false);
  for (const auto& [key, value] : vector.items()) {
    if (key == "enable_thinking") conversation.variables[key] = value;
  }
  return conversation;
}

TEST(ChatTemplateTest, PublishedTemplatesGiveTheirTexts) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const auto folder = testing::SharedPath("tokenizers");
  const io::Json vectors = io::ReadJsonFile(folder / "vectors/chat.json");
  EXPECT_FALSE(vectors.empty());
  for (const io::Json& vector : vectors) {
    SCOPED_TRACE(vector.dump());
    const auto loaded = ChatTemplate::Load(folder / vector.at("tokenizer").get<std::string>());
    const auto render = [&] { return loaded.Render(MakeConversation(vector), "record"); };
    if (vector.contains("error")) {
      const Error error = ErrorOf([&] { render(); });
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.parts().found, HasSubstr(vector.at("error").get<std::string>()));
    } else {
      EXPECT_EQ(render(), vector.at("text").get<std::string>());
    }
  }
}

std::string Render(const std::string& source, const char* messages) {
  return ChatTemplate::Parse(source, "template", io::Json::object())
      .Render({.messages = io::Json::parse(messages)}, "a.jsonl:7");
}

TEST(ChatTemplateTest, NullsOfMessagesCountAsAbsent) {
  EXPECT_EQ(Render("{{ messages[0] }}", R"([{"role": "user", "content": null, "x": [null]}])"),
            "{'role': 'user', 'x': [None]}");
}

TEST(ChatTemplateTest, ThoughtsGoByAllTheirNames) {
  EXPECT_EQ(Render("{{ messages[0].reasoning_content }}{{ messages[0].thinking }}",
                   R"([{"role": "assistant", "reasoning": "hm"}])"),
            "hmhm");
}

TEST(ChatTemplateTest, RecordsThatAreNoConversationsAreRefused) {
  for (const char* messages :
       {"[]", "{}", "\"hi\"", "[1]", "[{}]", R"([{"role": 1}])", R"([{"content": "x"}])"}) {
    SCOPED_TRACE(messages);
    const Error error = ErrorOf([&] { Render("a", messages); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("a.jsonl:7: messages"));
  }
}

}  // namespace
}  // namespace paroquant::chat
