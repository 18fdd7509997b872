#include "text/decoder.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "text/byte_level.h"
#include "text/component.h"
#include "text/growth.h"
#include "text/pattern.h"
#include "text/unicode.h"

namespace paroquant::text {
namespace {

using Tokens = std::vector<std::string>;

size_t TotalSize(const Tokens& tokens) {
  size_t size = 0;
  for (const std::string& token : tokens) size += token.size();
  return size;
}

class DecoderSequence : public Decoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<Decoder>> steps)
      : steps_(std::move(steps)) {}
  Tokens Decode(Tokens tokens) const override {
    const size_t before = TotalSize(tokens);
    for (const auto& step : steps_) {
      tokens = step->Decode(std::move(tokens));
      RequireModestGrowth(before, TotalSize(tokens));
    }
    return tokens;
  }

 private:
  std::vector<std::unique_ptr<Decoder>> steps_;
};

class SpaceBetween : public Decoder {
 public:
  Tokens Decode(Tokens tokens) const override {
    for (size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(tokens[i].begin(), ' ');
    return tokens;
  }
};

class ByteLevelDecoder : public Decoder {
 public:
  Tokens Decode(Tokens tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) AppendBytes(token, bytes);
    return {ReplaceInvalidUtf8(bytes)};
  }
};

class ReplaceDecoder : public Decoder {
 public:
  ReplaceDecoder(Pattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  Tokens Decode(Tokens tokens) const override {
    for (std::string& token : tokens) token = pattern_.Replace(token, content_);
    return tokens;
  }

 private:
  Pattern pattern_;
  std::string content_;
};

// Joins runs of byte tokens. If a run is no valid UTF-8, each of its bytes becomes U+FFFD.
class ByteFallbackDecoder : public Decoder {
 public:
  Tokens Decode(Tokens tokens) const override {
    Tokens decoded;
    std::string bytes;
    const auto flush = [&] {
      if (ValidUtf8Prefix(bytes) == bytes.size()) {
        if (!bytes.empty()) decoded.push_back(bytes);
      } else {
        decoded.insert(decoded.end(), bytes.size(), std::string(kReplacementCharacter));
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = ByteOf(token); byte.has_value()) {
        bytes.push_back(*byte);
      } else {
        flush();
        decoded.push_back(std::move(token));
      }
    }
    flush();
    return decoded;
  }
};

class FuseDecoder : public Decoder {
 public:
  Tokens Decode(Tokens tokens) const override {
    std::string joined;
    for (const std::string& token : tokens) joined += token;
    return {std::move(joined)};
  }
};

// Takes a character off the ends of each token, so many times at most.
class StripDecoder : public Decoder {
 public:
  StripDecoder(std::string content, int64_t start, int64_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}
  Tokens Decode(Tokens tokens) const override {
    for (std::string& token : tokens) {
      std::string_view kept = token;
      for (int64_t i = 0; i < start_ && kept.starts_with(content_); ++i) {
        kept.remove_prefix(content_.size());
      }
      for (int64_t i = 0; i < stop_ && kept.ends_with(content_); ++i) {
        kept.remove_suffix(content_.size());
      }
      token = std::string(kept);
    }
    return tokens;
  }

 private:
  std::string content_;
  int64_t start_;
  int64_t stop_;
};

// Metaspaces become spaces; those of the first token go, if encoding put one there.
class MetaspaceDecoder : public Decoder {
 public:
  MetaspaceDecoder(std::string replacement, bool prepends)
      : metaspace_(std::move(replacement)), prepends_(prepends) {}
  Tokens Decode(Tokens tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = metaspace_.Replace(tokens[i], i == 0 && prepends_ ? "" : " ");
    }
    return tokens;
  }

 private:
  Pattern metaspace_;
  bool prepends_;
};

std::unique_ptr<Decoder> LoadMetaspace(const io::JsonObject& json) {
  const bool prepends = json.Has("prepend_scheme")
                            ? json.Get<std::string>("prepend_scheme") != "never"
                            : json.GetOr("add_prefix_space", true);
  return std::make_unique<MetaspaceDecoder>(json.GetOr<std::string>("replacement", "▁"), prepends);
}

std::unique_ptr<Decoder> LoadDecoderStep(const io::JsonObject& json) {
  const auto type = json.Get<std::string>("type");
  if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>();
  if (type == "ByteFallback") return std::make_unique<ByteFallbackDecoder>();
  if (type == "Fuse") return std::make_unique<FuseDecoder>();
  if (type == "Metaspace") return LoadMetaspace(json);
  if (type == "Replace") {
    return std::make_unique<ReplaceDecoder>(Pattern::Load(json.Object("pattern")),
                                            json.Get<std::string>("content"));
  }
  if (type == "Strip") {
    const auto content = json.Get<std::string>("content");
    if (content.empty()) json.Fail("content", "a character", "\"\"");
    return std::make_unique<StripDecoder>(content, json.Get<int64_t>("start"),
                                          json.Get<int64_t>("stop"));
  }
  if (type == "Sequence") {
    std::vector<std::unique_ptr<Decoder>> steps;
    ForEachObject(json, "decoders",
                  [&](const io::JsonObject& step) { steps.push_back(LoadDecoderStep(step)); });
    return std::make_unique<DecoderSequence>(std::move(steps));
  }
  RefuseValue(json, "type", "ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace or Sequence");
}

}  // namespace

std::optional<char> ByteOf(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  unsigned char byte = 0;
  const auto result = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  if (result.ptr != token.data() + 5) return std::nullopt;
  return static_cast<char>(byte);
}

std::unique_ptr<Decoder> LoadDecoder(const io::JsonObject& tokenizer) {
  if (tokenizer.Has("decoder")) return LoadDecoderStep(tokenizer.Object("decoder"));
  return std::make_unique<SpaceBetween>();
}

}  // namespace paroquant::text
