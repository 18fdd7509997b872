// Values in a plane of cells as depths of a colour.
#ifndef PAROQUANT_REPORT_HEAT_MAP_H_
#define PAROQUANT_REPORT_HEAT_MAP_H_

#include <string>
#include <vector>

#include "report/figure.h"
#include "report/table.h"

namespace paroquant::report {

struct Cell {
  int column = 0;
  int row = 0;
  double value = 0;  // from 0, the palest
};

struct HeatMap {
  Caption caption;
  std::string x_label;
  std::string y_label;
  std::string value_label;  // with its unit
  int columns = 1;          // numbered from 0, from the left
  int rows = 1;             // from the top
  int first_row = 0;        // the number of the row at the top
  std::vector<Cell> cells;
  Table numbers;
};

Markup Draw(const HeatMap& map);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_HEAT_MAP_H_
