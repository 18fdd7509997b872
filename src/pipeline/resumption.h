// How a run begins in a folder where an earlier one may have stopped.
#ifndef PAROQUANT_PIPELINE_RESUMPTION_H_
#define PAROQUANT_PIPELINE_RESUMPTION_H_

#include <optional>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize.h"

namespace paroquant::pipeline {

struct Beginning {
  bool resumes = false;    // takes over what an earlier run has left
  bool overwrite = false;  // all else that lies in the folder goes at the end
  std::vector<std::string> notes;
};

// Throws kUsage, naming what has changed, if options.resume is to go on with a run of another
// fingerprint.
Beginning DecideBeginning(const QuantizeOptions& options, const io::Json& fingerprint);

// The summary of an earlier run that has already made what this one would, as far as its report
// tells. Throws kUsage, naming what differs, if options.out is complete and made otherwise, unless
// it may be overwritten or holds an unfinished run too.
std::optional<QuantizeSummary> FindCompleteRun(const QuantizeOptions& options,
                                               const std::vector<LayerPlan>& plans,
                                               const io::Json& fingerprint);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_RESUMPTION_H_
