#include "text/post_processor.h"

#include <fmt/format.h>

#include <string>

#include "text/component.h"

namespace paroquant::text {
namespace {

class FrameLoader {
 public:
  explicit FrameLoader(int64_t vocabulary_size) : vocabulary_size_(vocabulary_size) {}

  SpecialFrame Load(const io::JsonObject& json) const {
    const auto type = json.Get<std::string>("type");
    if (type == "TemplateProcessing") return LoadTemplate(json);
    if (type == "Sequence") return LoadSequence(json);
    if (type == "ByteLevel") return {};  // only moves offsets, which we have none of
    if (type == "BertProcessing" || type == "RobertaProcessing") {
      return {.before = {LoadTokenAndId(json, "cls")}, .after = {LoadTokenAndId(json, "sep")}};
    }
    RefuseValue(json, "type",
                "TemplateProcessing, ByteLevel, BertProcessing, RobertaProcessing or Sequence");
  }

 private:
  // Each processor puts its frame around the one before.
  SpecialFrame LoadSequence(const io::JsonObject& json) const {
    SpecialFrame frame;
    ForEachObject(json, "processors", [&](const io::JsonObject& processor) {
      const SpecialFrame outer = Load(processor);
      frame.before.insert(frame.before.begin(), outer.before.begin(), outer.before.end());
      frame.after.insert(frame.after.end(), outer.after.begin(), outer.after.end());
      CheckLength(json, "processors", frame.before.size() + frame.after.size());
    });
    return frame;
  }

  SpecialFrame LoadTemplate(const io::JsonObject& json) const {
    SpecialFrame frame;
    bool text_is_placed = false;
    ForEachObject(json, "single", [&](const io::JsonObject& piece) {
      if (piece.Has("SpecialToken")) {
        const auto ids = LoadIds(json, piece.Object("SpecialToken").Get<std::string>("id"));
        auto& side = text_is_placed ? frame.after : frame.before;
        side.insert(side.end(), ids.begin(), ids.end());
        CheckLength(json, "single", side.size());
      } else if (text_is_placed || piece.Object("Sequence").Get<std::string>("id") != "A") {
        RefuseValue(json, "single", "a template with the text A, once");
      } else {
        text_is_placed = true;
      }
    });
    if (!text_is_placed) RefuseValue(json, "single", "a template with the text A, once");
    return frame;
  }

  // A template may name a token of many ids many times.
  static void CheckLength(const io::JsonObject& json, const char* key, size_t length) {
    constexpr size_t kMaxLength = 1024;
    if (length <= kMaxLength) return;
    json.Fail(key, fmt::format("{} special tokens around a text at most", kMaxLength),
              fmt::format("{}", length));
  }

  // The ids of a template's token, which its table "special_tokens" lists.
  std::vector<int32_t> LoadIds(const io::JsonObject& json, const std::string& token) const {
    const io::JsonObject entry = json.Object("special_tokens").Object(token.c_str());
    std::vector<int32_t> ids;
    for (const io::Json& id : ArrayUnder(entry, "ids")) ids.push_back(CheckId(entry, "ids", id));
    return ids;
  }

  // ["[CLS]", 101]
  int32_t LoadTokenAndId(const io::JsonObject& json, const char* key) const {
    const io::Json& pair = ArrayUnder(json, key);
    if (pair.size() != 2) json.Fail(key, "a token and its id", pair.dump());
    return CheckId(json, key, pair[1]);
  }

  int32_t CheckId(const io::JsonObject& json, const char* key, const io::Json& id) const {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= vocabulary_size_) {
      json.Fail(key, fmt::format("ids in [0, {})", vocabulary_size_), id.dump());
    }
    return id.get<int32_t>();
  }

  int64_t vocabulary_size_;
};

}  // namespace

SpecialFrame LoadSpecialFrame(const io::JsonObject& tokenizer, int64_t vocabulary_size) {
  if (!tokenizer.Has("post_processor")) return {};
  return FrameLoader(vocabulary_size).Load(tokenizer.Object("post_processor"));
}

}  // namespace paroquant::text
