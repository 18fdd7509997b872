// The parts of reports as JSON and back. Numbers come back as the same bits.
#ifndef PAROQUANT_PIPELINE_REPORT_JSON_H_
#define PAROQUANT_PIPELINE_REPORT_JSON_H_

#include "paroquant/io/json.h"
#include "paroquant/pipeline/quantize.h"

namespace paroquant::pipeline {

// What is the same in every run: without the seconds, and without outliers, which only some runs
// count.
io::Json LayerJson(const LayerReport& report);
io::Json TuningJson(const TuningReport& report);
// {"weights_before", "weights_after", "inputs_before", "inputs_after"}.
io::Json OutliersJson(const method::OutlierCounts& outliers);

// The inverses; "seconds" and "outliers", where they are there, are read too. They throw kInput for
// keys that are missing or of another kind.
LayerReport ParseLayerReport(const io::JsonObject& json, const LayerPlan& plan);
TuningReport ParseTuningReport(const io::JsonObject& json);

// An optional number as JSON has it.
template <typename T>
std::optional<T> OptionalNumber(const io::JsonObject& json, const char* key) {
  if (!json.Has(key)) return std::nullopt;
  return json.Get<T>(key);
}

// The list under a key that must be there.
const io::Json& ListUnder(const io::JsonObject& json, const char* key);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_REPORT_JSON_H_
