#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "paroquant/base/error.h"
#include "paroquant/io/json.h"
#include "paroquant/io/text_file.h"
#include "paroquant/text/dataset.h"
#include "text/unicode.h"

namespace paroquant::text {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kJsonWhitespace = " \t\r\n";

Error NoText(const std::string& where, const std::string& expected, const std::string& found) {
  return Error(ErrorKind::kInput,
               {.where = where,
                .expected = expected,
                .found = found,
                .hint = "Data files are .txt, .raw, .jsonl or .json, each also .gz."});
}

Document FromObject(const io::Json& json, const std::string& where,
                    const ConversationWriter& write) {
  const io::JsonObject object(json, where);
  const auto text = json.find("text");
  if (text != json.end() && text->is_string()) {
    return {.text = text->get<std::string>(), .is_conversation = false};
  }
  if (text == json.end() && object.Has("messages")) {
    if (write) return {.text = write(object), .is_conversation = true};
    throw Error(ErrorKind::kUnsupported,
                {.where = where,
                 .expected = "a key \"text\"",
                 .found = "\"messages\"",
                 .hint = "Write the conversations out as text with the model's chat template."});
  }
  if (text == json.end() && json.contains("conversations")) {
    throw Error(ErrorKind::kInput,
                {.where = where,
                 .expected = "a key \"messages\" with a conversation",
                 .found = "\"conversations\", as ShareGPT has it",
                 .hint = "Write \"messages\" for it, in its entries \"role\" (user, assistant, "
                         "system) for \"from\" and \"content\" for \"value\"."});
  }
  throw NoText(where,
               write ? "a key \"text\" with a string, or \"messages\" with a conversation"
                     : "a key \"text\" with a string",
               text == json.end() ? "no such key" : text->type_name());
}

std::string_view WithoutByteOrderMark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(kJsonWhitespace) == std::string_view::npos;
}

enum class BlankLines { kSkipped, kRefused };

std::vector<Document> FromLines(std::string_view content, const std::string& path,
                                const ConversationWriter& write,
                                BlankLines blank = BlankLines::kSkipped) {
  std::vector<Document> documents;
  io::ForEachLine(content, [&](std::string_view line, int64_t number) {
    const std::string where = fmt::format("{}:{}", path, number);
    if (IsBlank(line)) {
      if (blank == BlankLines::kSkipped) return;
      throw Error(ErrorKind::kInput, {.where = where,
                                      .expected = "a JSON object with a key \"text\"",
                                      .found = "a blank line",
                                      .hint = "Take it out, or write {\"text\": \"\"}."});
    }
    documents.push_back(FromObject(io::ParseJson(line, where), where, write));
  });
  return documents;
}

std::vector<Document> FromArray(std::string_view content, const std::string& path,
                                const ConversationWriter& write) {
  const io::Json array = io::ParseJson(content, path);
  std::vector<Document> documents;
  for (size_t i = 0; i < array.size(); ++i) {
    documents.push_back(FromObject(array[i], fmt::format("{}: [{}]", path, i), write));
  }
  return documents;
}

std::vector<Document> FromJson(std::string_view content, const std::string& path,
                               const ConversationWriter& write) {
  const size_t start = std::min(content.find_first_not_of(kJsonWhitespace), content.size());
  if (content.substr(start).starts_with('[')) return FromArray(content, path, write);
  if (!nlohmann::json::accept(content)) return FromLines(content, path, write);
  return {FromObject(io::ParseJson(content, path), path, write)};
}

std::vector<Document> Parse(std::string content, const std::filesystem::path& path,
                            const ConversationWriter& write) {
  const auto extension =
      path.extension() == ".gz" ? path.stem().extension().string() : path.extension().string();
  if (extension == ".txt" || extension == ".raw") {
    return {{.text = std::move(content), .is_conversation = false}};
  }
  const std::string_view json = WithoutByteOrderMark(content);
  return extension == ".jsonl" ? FromLines(json, path.string(), write)
                               : FromJson(json, path.string(), write);
}

std::vector<std::string> TextsOf(std::vector<Document> documents) {
  std::vector<std::string> texts;
  for (Document& document : documents) texts.push_back(std::move(document.text));
  return texts;
}

void CheckName(const std::filesystem::path& path) {
  const auto named = path.extension() == ".gz" ? path.stem() : path;
  for (const char* known : {".txt", ".raw", ".jsonl", ".json"}) {
    if (named.extension() == known) return;
  }
  throw Error(ErrorKind::kUnsupported, {.where = path.string(),
                                        .expected = ".txt, .raw, .jsonl or .json, or these with "
                                                    ".gz behind, as the end of its name",
                                        .found = fmt::format("\"{}\"", named.extension().string()),
                                        .hint = "Rename or convert the file."});
}

}  // namespace

void RequireText(const std::string& content, const std::string& where) {
  const size_t binary = std::min(content.find('\0'), content.size());
  const size_t ill_formed = ValidUtf8Prefix(content);
  const size_t fault = std::min(binary, ill_formed);
  if (fault == content.size()) return;
  const auto line = 1 + std::count(content.begin(), content.begin() + fault, '\n');
  throw Error(ErrorKind::kInput,
              {.where = fmt::format("{}:{}", where, line),
               .expected = "text in UTF-8",
               .found = fault == binary ? "a zero byte" : "bytes that are no UTF-8",
               .hint = "Convert it to UTF-8 first, for example with iconv."});
}

std::string ReadText(const std::filesystem::path& path) {
  std::string content = io::ReadTextFile(path);
  RequireText(content, path.string());
  return content;
}

std::vector<std::string> ReadDocumentLines(const std::filesystem::path& path) {
  const std::string content = ReadText(path);
  return TextsOf(FromLines(WithoutByteOrderMark(content), path.string(), /*write=*/nullptr,
                           BlankLines::kRefused));
}

std::vector<Document> ReadConversations(const std::filesystem::path& path,
                                        const ConversationWriter& write) {
  CheckName(path);
  std::string content = ReadText(path);
  auto documents = Parse(std::move(content), path, write);
  const auto is_empty = [](const Document& document) { return document.text.empty(); };
  if (std::ranges::all_of(documents, is_empty)) {
    throw NoText(path.string(), "at least one document", "no text");
  }
  return documents;
}

std::vector<std::string> ReadDocuments(const std::filesystem::path& path) {
  return TextsOf(ReadConversations(path, /*write=*/nullptr));
}

bool HoldsTokenIds(const std::filesystem::path& path) {
  if (path.extension() != ".json") return false;
  constexpr bool kThrows = false;
  const auto value = nlohmann::json::parse(io::ReadTextFile(path), nullptr, kThrows);
  return value.is_object() && value.contains("input_ids");
}

std::vector<int32_t> ReadTokenIds(const std::filesystem::path& path) {
  const io::Json value = io::ReadJsonFile(path);
  const auto fail = [&](const std::string& found) {
    throw Error(ErrorKind::kInput,
                {.where = path.string() + ": input_ids",
                 .expected = "an array of integers in [0, 2^31)",
                 .found = found,
                 .hint = "A file of token ids is {\"input_ids\": [1, 2, ...]}."});
  };
  if (!value.is_object() || !value.contains("input_ids")) fail("no such key");
  const io::Json& array = value.at("input_ids");
  if (!array.is_array()) fail(array.type_name());
  std::vector<int32_t> ids;
  ids.reserve(array.size());
  for (const io::Json& id : array) {
    const bool fits = id.is_number_unsigned() &&
                      id.get<uint64_t>() <= uint64_t{std::numeric_limits<int32_t>::max()};
    if (!fits) fail(fmt::format("{} at place {}", id.dump(), ids.size()));
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

}  // namespace paroquant::text
