// The keys of a recipe: the one list that reading, writing, checking and documenting go by.
#ifndef PAROQUANT_METHOD_RECIPE_FIELDS_H_
#define PAROQUANT_METHOD_RECIPE_FIELDS_H_

#include <functional>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/method/recipe.h"

namespace paroquant::method {

// A key and the field of a certain recipe behind it.
struct RecipeField {
  std::string key;
  std::string expects;               // "one of 2, 3, 4, 8": what values it takes, for errors
  std::vector<std::string> choices;  // these values, if it takes one of a few
  std::function<io::Json()> read;
  std::function<bool(const io::Json& value)> write;  // false, and no change, for other values
};

// The fields of `recipe`, which must outlive them.
std::vector<RecipeField> FieldsOf(Recipe& recipe);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_RECIPE_FIELDS_H_
