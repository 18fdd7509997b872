// How fast this machine multiplies.
#ifndef PAROQUANT_LINALG_PRODUCT_RATE_H_
#define PAROQUANT_LINALG_PRODUCT_RATE_H_

namespace paroquant::linalg {

// Floating-point operations a second of float32 products of whole matrices, on all threads, over
// `least_seconds` or a little more. Tells the truth only while nothing else runs.
double MeasureProductRate(double least_seconds);

}  // namespace paroquant::linalg

#endif  // PAROQUANT_LINALG_PRODUCT_RATE_H_
