#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_QUANTIZE_PAGE_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_QUANTIZE_PAGE_H_

#include <string>

#include "paroquant/pipeline/quantize.h"

namespace paroquant::cli {

// The report of a finished run as a page of HTML. Reads sizes from the model and its source, and
// the rotation of the worst layer, if its layout holds one.
std::string QuantizePage(const pipeline::QuantizeSummary& summary);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_QUANTIZE_PAGE_H_
