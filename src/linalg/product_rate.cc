#include "paroquant/linalg/product_rate.h"

#include "paroquant/base/stopwatch.h"
#include "paroquant/linalg/product.h"

namespace paroquant::linalg {

double MeasureProductRate(double least_seconds) {
  // Columns for many threads, a depth that is cut into panels.
  constexpr int64_t kRows = 1024;
  constexpr int64_t kDepth = 1024;
  constexpr int64_t kColumns = 4096;
  const Matrix a = Matrix::Ones(kRows, kDepth);
  const Matrix b = Matrix::Ones(kColumns, kDepth);
  Matrix c(kRows, kColumns);
  MultiplyTransposed(a, b, c);  // starts the threads and brings in the memory
  int64_t count = 0;
  double seconds = 0;
  for (const Stopwatch watch; seconds < least_seconds; ++count) {
    MultiplyTransposed(a, b, c);
    seconds = watch.Seconds();
  }
  return 2.0 * static_cast<double>(kRows * kDepth * kColumns * count) / seconds;
}

}  // namespace paroquant::linalg
