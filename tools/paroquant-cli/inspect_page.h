#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_INSPECT_PAGE_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_INSPECT_PAGE_H_

#include <string>

#include "paroquant/pipeline/inspect.h"

namespace paroquant::cli {

// What quantizing would do to a layer, in words.
std::string Fate(const pipeline::LayerInspection& layer);

// A model as a page of HTML. Outliers are shown as far as `inspection` has counted them. `command`
// is how it was asked for.
std::string InspectPage(const std::string& folder, const pipeline::Inspection& inspection,
                        const std::string& command);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_INSPECT_PAGE_H_
