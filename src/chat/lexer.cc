#include "chat/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "chat/fault.h"
#include "chat/string_literal.h"
#include "chat/strings.h"

namespace paroquant::chat {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }

// With "\n" for every end of a line, and without the last one.
std::string NormalizeLines(std::string_view source) {
  std::string lines;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      lines += source[i];
    } else if (i + 1 == source.size() || source[i + 1] != '\n') {
      lines += '\n';
    }
  }
  if (lines.ends_with('\n')) lines.pop_back();
  return lines;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(NormalizeLines(source)), rest_(source_) {}

  std::vector<Token> Run() {
    while (!rest_.empty()) LexData();
    Add(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  void Add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  [[noreturn]] void Fail(const std::string& message, Fault::Kind kind = Fault::Kind::kWrong) const {
    throw Fault(message, kind, line_);
  }

  // Takes `count` bytes from the rest.
  std::string_view Take(size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    line_ += static_cast<int>(std::ranges::count(taken, '\n'));
    rest_.remove_prefix(count);
    if (count > 0) at_line_start_ = taken.back() == '\n';
    return taken;
  }
  bool TakeIf(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    Take(text.size());
    return true;
  }
  void TakeSpace() { Take(rest_.size() - Strip(rest_, Side::kLeft).size()); }

  // Takes the end of a tag, `close` behind "-", "+" or nothing, with the white space that goes with
  // it. `plus`: whether a "+" is allowed there, and a newline is taken without it.
  bool TakeTagEnd(std::string_view close, bool plus) {
    if (rest_.starts_with('-') && rest_.substr(1).starts_with(close)) {
      Take(1 + close.size());
      TakeSpace();
      return true;
    }
    if (plus && rest_.starts_with('+') && rest_.substr(1).starts_with(close)) {
      Take(1 + close.size());
      return true;
    }
    if (!TakeIf(close)) return false;
    if (plus) TakeIf("\n");
    return true;
  }

  // Adds text that stands before a tag. `sign`: what follows the tag's opening braces.
  void AddData(std::string_view data, char sign, bool before_output, bool at_line_start) {
    if (sign == '-') {
      data = Strip(data, Side::kRight);
    } else if (sign != '+' && !before_output) {
      const size_t newline = data.rfind('\n');
      const size_t start = newline == data.npos ? 0 : newline + 1;
      const bool starts_line = start > 0 || at_line_start;
      if (starts_line && Strip(data.substr(start), Side::kLeft).empty()) {
        data = data.substr(0, start);
      }
    }
    if (!data.empty()) Add(TokenKind::kData, std::string(data));
  }

  static size_t FindTag(std::string_view text) {
    for (size_t at = text.find('{'); at != text.npos; at = text.find('{', at + 1)) {
      const char next = at + 1 < text.size() ? text[at + 1] : ' ';
      if (next == '{' || next == '%' || next == '#') return at;
    }
    return text.npos;
  }

  // Text up to a tag, and that tag.
  void LexData() {
    const size_t at = FindTag(rest_);
    if (at == rest_.npos) {
      Add(TokenKind::kData, std::string(rest_));
      Take(rest_.size());
      return;
    }
    const char kind = rest_[at + 1];
    const char sign = at + 2 < rest_.size() ? rest_[at + 2] : ' ';
    AddData(rest_.substr(0, at), sign, kind == '{', at_line_start_);
    Take(at + 2);
    if (sign == '-' || sign == '+') Take(1);
    if (kind == '#') {
      LexComment();
    } else if (kind == '{') {
      LexTag(TokenKind::kOutputBegin, TokenKind::kOutputEnd, "}}");
    } else if (!LexRaw()) {
      LexTag(TokenKind::kBlockBegin, TokenKind::kBlockEnd, "%}");
    }
  }

  void LexComment() {
    const size_t end = rest_.find("#}");
    if (end == rest_.npos) Fail("a comment without its end \"#}\"");
    const bool has_sign = end > 0 && (rest_[end - 1] == '-' || rest_[end - 1] == '+');
    Take(has_sign ? end - 1 : end);
    TakeTagEnd("#}", /*plus=*/true);
  }

  // {% raw %} text {% endraw %}, behind the opening braces; false if it is another tag.
  bool LexRaw() {
    std::string_view tag = Strip(rest_, Side::kLeft);
    if (!tag.starts_with("raw")) return false;
    tag = Strip(tag.substr(3), Side::kLeft);
    const bool strips = tag.starts_with("-%}");
    if (!strips && !tag.starts_with("%}")) return false;
    Take(rest_.size() - tag.size() + (strips ? 3 : 2));
    if (strips) TakeSpace();
    LexRawText();
    return true;
  }

  void LexRawText() {
    for (size_t at = rest_.find("{%"); at != rest_.npos; at = rest_.find("{%", at + 1)) {
      std::string_view tag = rest_.substr(at + 2);
      const char sign = tag.empty() ? ' ' : tag.front();
      if (sign == '-' || sign == '+') tag.remove_prefix(1);
      tag = Strip(tag, Side::kLeft);
      if (!tag.starts_with("endraw")) continue;
      tag = Strip(tag.substr(6), Side::kLeft);
      if (!tag.starts_with("%}") && !tag.starts_with("-%}") && !tag.starts_with("+%}")) continue;
      AddData(rest_.substr(0, at), sign, /*before_output=*/false, at_line_start_);
      Take(rest_.size() - tag.size());
      TakeTagEnd("%}", /*plus=*/true);
      return;
    }
    Fail("\"raw\" without its \"endraw\"");
  }

  void LexTag(TokenKind begin, TokenKind end, std::string_view close) {
    Add(begin, "");
    brackets_.clear();
    while (true) {
      if (rest_.empty()) Fail(fmt::format("a tag without its end \"{}\"", close));
      const int line = line_;
      if (brackets_.empty() && TakeTagEnd(close, end == TokenKind::kBlockEnd)) {
        tokens_.push_back({end, "", line});
        return;
      }
      LexTokenInTag();
    }
  }

  void LexTokenInTag() {
    const char c = rest_.front();
    if (Strip(rest_, Side::kLeft).size() != rest_.size()) {
      TakeSpace();
    } else if (IsNameStart(c)) {
      const auto end = std::ranges::find_if_not(rest_, IsNamePart);
      AddTaken(TokenKind::kName, static_cast<size_t>(end - rest_.begin()));
    } else if (IsDigit(c)) {
      LexNumber();
    } else if (c == '\'' || c == '"') {
      LexString(c);
    } else {
      LexOperator();
    }
  }

  void AddTaken(TokenKind kind, size_t count) {
    Add(kind, std::string(rest_.substr(0, count)));
    Take(count);
  }

  size_t Digits(size_t from) const {
    while (from < rest_.size() && IsDigit(rest_[from])) ++from;
    return from;
  }

  void LexNumber() {
    const bool follows_dot = !tokens_.empty() && tokens_.back().kind == TokenKind::kOperator &&
                             tokens_.back().text == ".";
    const size_t whole = Digits(0);
    size_t end = whole;
    if (!follows_dot && rest_.substr(end).starts_with('.') && Digits(end + 1) > end + 1) {
      end = Digits(end + 1);
    }
    if (!follows_dot && end < rest_.size() && (rest_[end] == 'e' || rest_[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < rest_.size() && (rest_[exponent] == '+' || rest_[exponent] == '-')) ++exponent;
      if (Digits(exponent) > exponent) end = Digits(exponent);
    }
    const bool leading_zero = rest_.front() == '0' && whole > 1;
    if ((end < rest_.size() && IsNamePart(rest_[end])) || (leading_zero && end == whole)) {
      Fail("a number that is not plainly decimal", Fault::Kind::kUnsupported);
    }
    AddTaken(end == whole ? TokenKind::kInteger : TokenKind::kFloat, end);
  }

  void LexString(char quote) {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != quote) end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) Fail("a string without its end");
    Add(TokenKind::kString, ResolveEscapes(rest_.substr(1, end - 1), line_));
    Take(end + 1);
  }

  void LexOperator() {
    static constexpr std::array<std::string_view, 26> kOperators = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
        "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
    const auto* found = std::ranges::find_if(
        kOperators, [&](std::string_view name) { return rest_.starts_with(name); });
    if (found == kOperators.end()) {
      Fail(fmt::format("the character \"{}\"", rest_.substr(0, text::Utf8Length(rest_.front()))));
    }
    Balance(found->front());
    AddTaken(TokenKind::kOperator, found->size());
  }

  void Balance(char c) {
    static constexpr std::string_view kOpen = "([{";
    static constexpr std::string_view kClose = ")]}";
    if (const size_t kind = kOpen.find(c); kind != kOpen.npos) brackets_ += kClose[kind];
    if (kClose.find(c) == kClose.npos) return;
    if (brackets_.empty() || brackets_.back() != c) Fail(fmt::format("an unexpected \"{}\"", c));
    brackets_.pop_back();
  }

  const std::string source_;
  std::string_view rest_;
  int line_ = 1;
  bool at_line_start_ = true;
  std::string brackets_;  // the closing ones that are still to come
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> Tokenize(std::string_view source) { return Lexer(source).Run(); }

std::string Describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kData:
      return "text";
    case TokenKind::kOutputBegin:
      return "\"{{\"";
    case TokenKind::kOutputEnd:
      return "\"}}\"";
    case TokenKind::kBlockBegin:
      return "\"{%\"";
    case TokenKind::kBlockEnd:
      return "\"%}\"";
    case TokenKind::kString:
      return "a string";
    case TokenKind::kEnd:
      return "the end of the template";
    default:
      return fmt::format("\"{}\"", token.text);
  }
}

}  // namespace paroquant::chat
