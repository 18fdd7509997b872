#include "text_layout.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

#include "paroquant/base/utf8.h"

namespace paroquant::cli {
namespace {

constexpr size_t kLeastColumns = 20;
constexpr size_t kMostColumns = 100;
constexpr size_t kUsualColumns = 80;
constexpr size_t kLeastRightColumn = 30;
constexpr size_t kIndent = 2;
constexpr size_t kGap = 2;

// 0 if the variable is not set to a number.
size_t ColumnsOfEnvironment() {
  const char* text = std::getenv("COLUMNS");
  if (text == nullptr) return 0;
  const char* end = text + std::strlen(text);
  size_t columns = 0;
  const auto [stop, error] = std::from_chars(text, end, columns);
  return error == std::errc() && stop == end ? columns : 0;
}

// 0 if standard output is no terminal.
size_t ColumnsOfTerminal() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// The bytes of the first `letters` code points, or of all of them.
size_t BytesOf(std::string_view text, size_t letters) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (!IsUtf8Continuation(text[i]) && letters-- == 0) return i;
  }
  return text.size();
}

// How much of the part of a word that fits on a line goes there.
size_t CutOf(std::string_view part) {
  const size_t mark = part.find_last_of("|,:=-/");
  return mark == std::string_view::npos || mark == 0 ? part.size() : mark + 1;
}

// Each line wrapped, empty ones included.
std::vector<std::string> WrapLines(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  while (true) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::vector<std::string> wrapped = Wrap(text.substr(0, end), width);
    if (wrapped.empty()) wrapped.emplace_back();
    std::ranges::move(wrapped, std::back_inserter(lines));
    if (end == text.size()) return lines;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

size_t OutputColumns() {
  size_t columns = ColumnsOfEnvironment();
  if (columns == 0) columns = ColumnsOfTerminal();
  if (columns == 0) columns = kUsualColumns;
  return std::clamp(columns, kLeastColumns, kMostColumns);
}

std::vector<std::string> Wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = BytesOf(text, width);
    if (end < text.size()) {
      const size_t space = text.substr(0, end + 1).rfind(' ');
      end = space == std::string_view::npos || space == 0 ? CutOf(text.substr(0, end)) : space;
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
  }
  return lines;
}

std::string WrapCommand(std::string_view command, size_t width) {
  constexpr std::string_view kContinued = " \\\n  ";
  constexpr std::string_view kOption = " --";
  std::string text;
  size_t used = 0;  // of the line
  while (!command.empty()) {
    const size_t end = std::min(command.find(kOption, 1), command.size());
    std::string_view part = command.substr(0, end);
    command.remove_prefix(end);
    if (used > 0 && used + part.size() + 2 > width) {
      text += kContinued;
      part.remove_prefix(1);
      used = 2;
    }
    text += part;
    used += part.size();
  }
  return text;
}

TwoColumns::TwoColumns(size_t left_width, size_t width)
    : right_start_(kIndent + left_width + kGap), width_(width) {
  if (right_start_ + kLeastRightColumn > width) right_start_ = 2 * kIndent;
}

std::string TwoColumns::Row(const std::string& left, const std::string& right) const {
  std::string text;
  std::string line(kIndent, ' ');
  const auto end_line = [&] {
    text += line + "\n";
    line.clear();
  };
  for (const std::string& part : Wrap(left, width_ - kIndent)) {
    if (line.size() > kIndent) {
      end_line();
      line.assign(kIndent, ' ');
    }
    line += part;
  }
  if (line.size() + kGap > right_start_) end_line();
  for (const std::string& part : Wrap(right, width_ - right_start_)) {
    if (line.size() > right_start_) end_line();
    line.resize(right_start_, ' ');
    line += part;
  }
  if (!line.empty()) end_line();
  return text;
}

TextTable SideBySide(std::string_view left, std::string_view right, size_t columns) {
  const size_t width = (columns - 2 * kGap - 1) / 2;
  std::vector<std::string> one = WrapLines(left, width);
  std::vector<std::string> other = WrapLines(right, width);
  const size_t rows = std::max(one.size(), other.size());
  one.resize(rows);
  other.resize(rows);
  TextTable table;
  for (size_t i = 0; i < rows; ++i) table.Add({std::move(one[i])}, other[i]);
  return table;
}

}  // namespace paroquant::cli
