// Tokenizers, documents, conversations and their templates.
#include <array>
#include <string>
#include <vector>

#include "paroquant/chat/chat_template.h"
#include "paroquant/io/json.h"
#include "paroquant/io/text_file.h"
#include "paroquant/text/dataset.h"
#include "paroquant/text/tokenizer.h"
#include "tests/fuzz/input_folder.h"
#include "tests/fuzz/targets.h"

namespace paroquant::fuzz {
namespace {

using testing::DataPath;
using testing::GoldenPath;

constexpr char kChatTemplate[] =
    "{% for m in messages %}<|{{ m.role }}|>{{ m['content']|trim }}{% endfor %}";

void EncodeAndDecode(const text::Tokenizer& tokenizer, std::string_view text) {
  const std::vector<int32_t> ids = tokenizer.Encode(text, /*add_special_tokens=*/true);
  for (const int32_t id : ids) {
    Require(id >= 0 && id < tokenizer.vocab_size(), "ids of the vocabulary");
  }
  tokenizer.Decode(ids, /*skip_special_tokens=*/false);
  tokenizer.Decode(ids, /*skip_special_tokens=*/true);
}

io::Json SmallConversation() {
  return {
      {{"role", "system"}, {"content", "Be brief."}},
      {{"role", "user"}, {"content", " Add 1 and 2. "}},
      {{"role", "assistant"},
       {"content", nullptr},
       {"tool_calls", {{{"function", {{"name", "add"}, {"arguments", {{"a", 1}, {"b", 2.5}}}}}}}}},
      {{"role", "tool"}, {"content", "3"}, {"name", "add"}},
      {{"role", "assistant"}, {"content", "<think>\neasy\n</think>\n3"}}};
}

void Render(const chat::ChatTemplate& chat_template) {
  chat_template.Render({.messages = SmallConversation()}, "conversation");
  const io::Json tools = {
      {{"type", "function"}, {"function", {{"name", "add"}, {"description", "adds"}}}}};
  chat_template.Render(
      {.messages = SmallConversation(), .tools = tools, .add_generation_prompt = true},
      "conversation");
}

void ReadGzip(const std::filesystem::path& path) {
  constexpr uint64_t kMaxBytes = 1 << 20;
  const std::string text = io::ReadTextFile(path, kMaxBytes);
  Require(text.size() <= kMaxBytes, "no more bytes than allowed");
  io::ForEachLine(text, [](std::string_view line, int64_t /*number*/) {
    Require(line.find('\n') == std::string_view::npos, "lines without line ends");
  });
}

}  // namespace

void ReadTokenizerFile(std::string_view input) {
  static const InputFolder folder;
  const auto tokenizer = text::Tokenizer::Load(folder.Write("tokenizer.json", input));
  EncodeAndDecode(tokenizer, "Hello, abc  123 \xC3\xA9\xE4\xB8\xAD<s>\n\n\t1.5e3 don't\xFF");
}

// The first byte chooses the tokenizer, the rest is the text.
void EncodeText(std::string_view input) {
  static const auto tokenizers = [] {
    std::vector<text::Tokenizer> loaded;
    loaded.push_back(text::Tokenizer::Load(DataPath("tiny-llama/tokenizer.json")));
    for (const char* style : {"gemma_style", "gpt2_prefix_space", "gpt2_style", "llama2_style",
                              "llama3_style", "mistral_metaspace", "starcoder_style"}) {
      loaded.push_back(text::Tokenizer::Load(GoldenPath("tokenizers") / style / "tokenizer.json"));
    }
    return loaded;
  }();
  if (input.empty()) return;
  const size_t choice = static_cast<unsigned char>(input.front()) % tokenizers.size();
  EncodeAndDecode(tokenizers[choice], input.substr(1));
}

// The first byte chooses the reader, the rest is the file.
void ReadDocumentFile(std::string_view input) {
  static const InputFolder folder;
  static const auto chat_template =
      chat::ChatTemplate::Parse(kChatTemplate, "template", io::Json::object());
  const auto write = [](const io::JsonObject& conversation) {
    return chat_template.Render({.messages = conversation.json().at("messages")},
                                conversation.where());
  };
  if (input.empty()) return;
  const std::string_view content = input.substr(1);
  switch (input.front()) {
    case 'z':
      ReadGzip(folder.Write("x.txt.gz", content));
      break;
    case 't':
      text::ReadConversations(folder.Write("x.txt", content), write);
      break;
    case 'l':
      text::ReadDocumentLines(folder.Write("x.jsonl", content));
      break;
    case 'i':
      if (text::HoldsTokenIds(folder.Write("x.json", content))) {
        text::ReadTokenIds(folder.path() / "x.json");
      }
      break;
    case 'j':
      text::ReadConversations(folder.Write("x.json", content), write);
      break;
    default:
      text::ReadConversations(folder.Write("x.jsonl", content), write);
  }
}

void RenderChatTemplate(std::string_view input) {
  Render(chat::ChatTemplate::Parse(std::string(input), "template",
                                   {{"bos_token", "<s>"}, {"eos_token", "</s>"}}));
}

void ReadTokenizerConfig(std::string_view input) {
  static const InputFolder folder;
  folder.Write("tokenizer_config.json", input);
  Render(chat::ChatTemplate::Load(folder.path()));
}

}  // namespace paroquant::fuzz
