# CPack reads this before each package that it makes.

# What is passed on has to run on other machines, too.
if(CPACK_PAROQUANT_NATIVE AND NOT PAROQUANT_PACK_NATIVE)
  message(FATAL_ERROR
    "This build runs only on processors like this machine's. Pack one of the preset portable, or "
    "have your way with cpack -D PAROQUANT_PACK_NATIVE=ON.")
endif()

# An archive is unpacked anywhere and keeps its files together; a .deb has its place.
if(CPACK_GENERATOR STREQUAL "TGZ")
  set(CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY ON)
endif()
