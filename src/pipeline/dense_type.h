// The type of weights that a quantized checkpoint is turned back into.
#ifndef PAROQUANT_PIPELINE_DENSE_TYPE_H_
#define PAROQUANT_PIPELINE_DENSE_TYPE_H_

#include "paroquant/io/json.h"
#include "paroquant/io/safetensors.h"
#include "paroquant/model/checkpoint.h"

namespace paroquant::pipeline {

// That of most of the checkpoint's weights beside its packed layers, for engines run a model in one
// type: F16, BF16 or F32; F16 if there are none.
io::DType DenseType(const model::Checkpoint& checkpoint);

// `config` with that type wherever it names one ("dtype", in older versions "torch_dtype"), as
// engines load a model in the type that config.json names.
io::Json WithDenseType(io::Json config, io::DType dtype);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_DENSE_TYPE_H_
