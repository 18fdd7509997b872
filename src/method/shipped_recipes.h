// The files of configs/, built into the program so that it works wherever it lies.
#ifndef PAROQUANT_METHOD_SHIPPED_RECIPES_H_
#define PAROQUANT_METHOD_SHIPPED_RECIPES_H_

#include <span>

namespace paroquant::method {

struct ShippedRecipe {
  const char* name;
  const char* json;  // the content of configs/<name>.json
};

// In the order of CMakeLists.txt, the default first.
std::span<const ShippedRecipe> ShippedRecipeFiles();

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_SHIPPED_RECIPES_H_
