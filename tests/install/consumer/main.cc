// Prints how many tensors the model folder in the first argument has.
#include <fmt/core.h>

#include "paroquant/base/matrix.h"
#include "paroquant/io/tensor_folder.h"

int main(int, char** arguments) {
  const auto model = paroquant::io::TensorFolder::Open(arguments[1]);
  fmt::print("{} tensors\n", model.tensors().size());
  return model.tensors().empty() ? 1 : 0;
}
