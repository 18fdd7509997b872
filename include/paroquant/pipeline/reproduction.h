// The commands that make a checkpoint again, as model cards and reports show them: with names in
// the place of paths, and every setting that decides the result. A line for a shell each.
#ifndef PAROQUANT_PIPELINE_REPRODUCTION_H_
#define PAROQUANT_PIPELINE_REPRODUCTION_H_

#include <filesystem>
#include <string>
#include <vector>

#include "paroquant/format/packed_format.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

std::string QuantizeCommand(const QuantizeOptions& options);
std::string ConvertCommand(const std::filesystem::path& model, format::FormatKind format);

// What the result of QuantizeCommand is checked and measured by.
std::vector<std::string> CheckCommands(const QuantizeOptions& options);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_REPRODUCTION_H_
