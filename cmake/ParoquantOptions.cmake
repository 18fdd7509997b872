# What every target of the project is compiled with: the interface target paroquant_options.
add_library(paroquant_options INTERFACE)
target_compile_features(paroquant_options INTERFACE cxx_std_20)
target_compile_options(paroquant_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow
                                                  -Wnon-virtual-dtor)
# Fields left out of designated initializers have their defaults, on purpose.
target_compile_options(paroquant_options INTERFACE -Wno-missing-field-initializers)
# GCC 12 takes the undefined operands inside its own AVX-512 intrinsics for uninitialized reads.
target_compile_options(
  paroquant_options
  INTERFACE "$<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized;-Wno-maybe-uninitialized>")
# Lets loops over floats use the vector forms of round and sqrt; results stay IEEE.
target_compile_options(paroquant_options INTERFACE -fno-math-errno -fno-trapping-math)
if(PAROQUANT_NATIVE)
  target_compile_options(paroquant_options INTERFACE -march=native)
endif()
