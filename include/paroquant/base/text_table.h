// Rows of words and numbers for people.
#ifndef PAROQUANT_BASE_TEXT_TABLE_H_
#define PAROQUANT_BASE_TEXT_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace paroquant {

// A table indented by two spaces. Each column is as wide as its widest cell, the first flush left
// and the others flush right. A code point counts as one letter.
class TextTable {
 public:
  // The cells and the remark become Printable. A row may end early. The remark stands behind its
  // last cell; no column minds how long it is.
  void Add(std::vector<std::string> cells, const std::string& remark = "");

  // The rows, without spaces at their ends.
  std::vector<std::string> Lines() const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string remark;
  };
  std::vector<Row> rows_;
  std::vector<size_t> widths_;  // in letters
};

}  // namespace paroquant

#endif  // PAROQUANT_BASE_TEXT_TABLE_H_
