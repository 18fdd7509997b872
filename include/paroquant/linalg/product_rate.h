// How fast this machine multiplies.
#ifndef PAROQUANT_LINALG_PRODUCT_RATE_H_
#define PAROQUANT_LINALG_PRODUCT_RATE_H_

namespace paroquant::linalg {

// Floating-point operations a second of float32 products of whole matrices, on all threads. Takes
// half a second, and tells the truth only while nothing else runs.
double MeasureProductRate();

}  // namespace paroquant::linalg

#endif  // PAROQUANT_LINALG_PRODUCT_RATE_H_
