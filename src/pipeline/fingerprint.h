// What decides the bytes of a quantized checkpoint, in short: runs of one fingerprint may go on
// where another of them stopped.
#ifndef PAROQUANT_PIPELINE_FINGERPRINT_H_
#define PAROQUANT_PIPELINE_FINGERPRINT_H_

#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

// The program's version, all options that matter, and size and checksum of every file of the source
// that is read or carried over and of the calibration texts. Reads all of them once, and throws as
// model::RequireFinite on the way. No paths: files may have moved.
io::Json Fingerprint(const model::Checkpoint& source, const QuantizeOptions& options);

// A line for each entry in which they differ: "settings.bits: 4 before, 3 now".
std::vector<std::string> Changes(const io::Json& before, const io::Json& now);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_FINGERPRINT_H_
