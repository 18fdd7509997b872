// Text in the columns of a terminal.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_TEXT_LAYOUT_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_TEXT_LAYOUT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/base/text_table.h"

namespace paroquant::cli {

// The columns to write standard output in, 20 to 100: $COLUMNS, else the terminal's, else 80.
size_t OutputColumns();

// `text` in lines of at most `width` > 0 columns, one for each code point. A word is cut only where
// it is longer than a line, behind a mark if it has one.
std::vector<std::string> Wrap(std::string_view text, size_t width);

// A command for a shell, to be copied as it is: broken before options only, where a line would
// else have more than `width` columns.
std::string WrapCommand(std::string_view command, size_t width);

// A table of two columns, the first `left_width` wide, indented by two. A cell that is too long
// for the left column has lines of its own. Where `width` leaves the right column no room, it
// stands below the left one.
class TwoColumns {
 public:
  TwoColumns(size_t left_width, size_t width);
  std::string Row(const std::string& left, const std::string& right) const;

 private:
  size_t right_start_;
  size_t width_;
};

// Two texts of any lines beside one another, in `columns` in all.
TextTable SideBySide(std::string_view left, std::string_view right, size_t columns);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_TEXT_LAYOUT_H_
