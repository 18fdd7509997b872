#include "paroquant/base/text_table.h"

#include <algorithm>
#include <utility>

#include "paroquant/base/printable.h"
#include "paroquant/base/utf8.h"

namespace paroquant {
namespace {

constexpr char kGap[] = "  ";

size_t LettersOf(const std::string& text) {
  return text.size() - static_cast<size_t>(std::ranges::count_if(text, IsUtf8Continuation));
}

}  // namespace

void TextTable::Add(std::vector<std::string> cells, const std::string& remark) {
  for (std::string& cell : cells) cell = Printable(cell);
  widths_.resize(std::max(widths_.size(), cells.size()));
  for (size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], LettersOf(cells[i]));
  rows_.push_back({std::move(cells), Printable(remark)});
}

std::vector<std::string> TextTable::Lines() const {
  std::vector<std::string> lines;
  for (const Row& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const std::string margin(widths_[i] - LettersOf(row.cells[i]), ' ');
      line += kGap + (i == 0 ? row.cells[i] + margin : margin + row.cells[i]);
    }
    if (!row.remark.empty()) line += kGap + row.remark;
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace paroquant
