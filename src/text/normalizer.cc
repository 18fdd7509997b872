#include "text/normalizer.h"

#include <utf8proc.h>

#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "text/byte_level.h"
#include "text/component.h"
#include "text/growth.h"
#include "text/pattern.h"
#include "text/unicode.h"

namespace paroquant::text {
namespace {

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> steps)
      : steps_(std::move(steps)) {}
  std::string Normalize(std::string text) const override {
    const size_t before = text.size();
    for (const auto& step : steps_) {
      text = step->Normalize(std::move(text));
      RequireModestGrowth(before, text.size());
    }
    return text;
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

// The four normalization forms of Unicode (standard annex 15).
class UnicodeForm : public Normalizer {
 public:
  // Every character below `first_changed` is its own normal form and combines with none before it.
  UnicodeForm(int options, char32_t first_changed)
      : options_(UTF8PROC_STABLE | options), first_changed_(first_changed) {}

  // Only stretches that may change go through utf8proc. One begins with the character before
  // them, which may combine with what follows.
  std::string Normalize(std::string text) const override {
    std::string normalized;
    normalized.reserve(text.size());
    size_t copied = 0;
    size_t previous = 0;  // where the character before `position` begins
    for (size_t position = 0; position < text.size();) {
      size_t next = position;
      if (NextCharacter(text, next) < first_changed_) {
        previous = std::exchange(position, next);
        continue;
      }
      normalized.append(text, copied, previous - copied);
      copied = EndOfStretch(text, next);
      AppendNormalForm(std::string_view(text).substr(previous, copied - previous), normalized);
      previous = position = copied;
    }
    return normalized.append(text, copied);
  }

 private:
  size_t EndOfStretch(std::string_view text, size_t position) const {
    while (position < text.size()) {
      size_t next = position;
      if (NextCharacter(text, next) < first_changed_) break;
      position = next;
    }
    return position;
  }

  void AppendNormalForm(std::string_view stretch, std::string& normalized) const {
    utf8proc_uint8_t* form = nullptr;
    const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(stretch.data()),
                                     static_cast<utf8proc_ssize_t>(stretch.size()), &form,
                                     static_cast<utf8proc_option_t>(options_));
    if (length < 0) throw std::bad_alloc();  // on valid UTF-8 nothing else can fail
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(form, &std::free);
    normalized.append(reinterpret_cast<const char*>(form), static_cast<size_t>(length));
  }

  int options_;
  char32_t first_changed_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string Normalize(std::string text) const override {
    if (text.empty()) return text;
    RequireModestGrowth(text.size(), prefix_.size());
    return prefix_ + text;
  }

 private:
  std::string prefix_;
};

class Replace : public Normalizer {
 public:
  Replace(Pattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  std::string Normalize(std::string text) const override {
    return pattern_.Replace(text, content_);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Lowercase : public Normalizer {
 public:
  std::string Normalize(std::string text) const override {
    constexpr char32_t kCapitalIWithDot = 0x130;  // the only one with a lower case of two
    std::string lower;
    lower.reserve(text.size());
    for (size_t position = 0; position < text.size();) {
      const char32_t character = NextCharacter(text, position);
      if (character == kCapitalIWithDot) {
        lower += "i\u0307";
      } else {
        AppendUtf8(static_cast<char32_t>(utf8proc_tolower(static_cast<int>(character))), lower);
      }
    }
    return lower;
  }
};

class StripWhitespace : public Normalizer {
 public:
  StripWhitespace(bool left, bool right) : left_(left), right_(right) {}
  std::string Normalize(std::string text) const override {
    std::string_view kept = text;
    if (left_) kept.remove_prefix(LeadingWhitespace(kept));
    if (right_) kept.remove_suffix(TrailingWhitespace(kept));
    return std::string(kept);
  }

 private:
  bool left_;
  bool right_;
};

class ByteLevelNormalizer : public Normalizer {
 public:
  std::string Normalize(std::string text) const override {
    std::string characters;
    AppendByteLevel(text, characters);
    return characters;
  }
};

std::unique_ptr<Normalizer> LoadNormalizerStep(const io::JsonObject& json) {
  const auto type = json.Get<std::string>("type");
  constexpr char32_t kFirstNotAscii = 0x80;
  constexpr char32_t kFirstMark = 0x300;  // all below are composed and begin something new
  if (type == "NFC") return std::make_unique<UnicodeForm>(UTF8PROC_COMPOSE, kFirstMark);
  if (type == "NFD") return std::make_unique<UnicodeForm>(UTF8PROC_DECOMPOSE, kFirstNotAscii);
  if (type == "NFKC") {
    return std::make_unique<UnicodeForm>(UTF8PROC_COMPOSE | UTF8PROC_COMPAT, kFirstNotAscii);
  }
  if (type == "NFKD") {
    return std::make_unique<UnicodeForm>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, kFirstNotAscii);
  }
  if (type == "Prepend") return std::make_unique<Prepend>(json.Get<std::string>("prepend"));
  if (type == "Replace") {
    return std::make_unique<Replace>(Pattern::Load(json.Object("pattern")),
                                     json.Get<std::string>("content"));
  }
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "Strip") {
    return std::make_unique<StripWhitespace>(json.GetOr("strip_left", true),
                                             json.GetOr("strip_right", true));
  }
  if (type == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
  if (type == "Sequence") {
    std::vector<std::unique_ptr<Normalizer>> steps;
    ForEachObject(json, "normalizers",
                  [&](const io::JsonObject& step) { steps.push_back(LoadNormalizerStep(step)); });
    return std::make_unique<NormalizerSequence>(std::move(steps));
  }
  RefuseValue(json, "type",
              "NFC, NFD, NFKC, NFKD, Prepend, Replace, Lowercase, Strip, ByteLevel or Sequence");
}

}  // namespace

std::unique_ptr<Normalizer> LoadNormalizer(const io::JsonObject& tokenizer) {
  if (tokenizer.Has("normalizer")) return LoadNormalizerStep(tokenizer.Object("normalizer"));
  return std::make_unique<NormalizerSequence>(std::vector<std::unique_ptr<Normalizer>>{});
}

}  // namespace paroquant::text
