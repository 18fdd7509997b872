// Tables that screen readers can walk through and that scroll on narrow screens.
#ifndef PAROQUANT_REPORT_TABLE_H_
#define PAROQUANT_REPORT_TABLE_H_

#include <string>
#include <vector>

#include "report/markup.h"

namespace paroquant::report {

enum class ColumnKind { kText, kNumber };

struct Column {
  std::string title;
  ColumnKind kind = ColumnKind::kNumber;
};

struct Table {
  std::string caption;
  std::vector<Column> columns;
  // As many cells each as there are columns; the first one names the row.
  std::vector<std::vector<std::string>> rows;
};

Markup Draw(const Table& table);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_TABLE_H_
