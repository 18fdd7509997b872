// --override: other settings for the modules whose name matches a pattern.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_OVERRIDE_OPTION_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_OVERRIDE_OPTION_H_

#include <string>

#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::cli {

// Reads "REGEX:bits=8,group-size=64"; the expression may hold colons itself. Throws kUsage.
pipeline::LayerOverride ParseOverride(const std::string& text);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_OVERRIDE_OPTION_H_
