# The language and the warnings of every target.
add_library(paroquant_warnings INTERFACE)
target_compile_features(paroquant_warnings INTERFACE cxx_std_20)
target_compile_options(paroquant_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow
                                                   -Wnon-virtual-dtor)

# What all of them but the kernels are compiled with, beside.
add_library(paroquant_options INTERFACE)
target_link_libraries(paroquant_options INTERFACE paroquant_warnings)
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
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(paroquant_options INTERFACE -march=x86-64-v2)
endif()
