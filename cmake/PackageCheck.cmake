# CPack reads this before it packs: what is passed on has to run on other machines, too.
if(CPACK_PAROQUANT_NATIVE AND NOT PAROQUANT_PACK_NATIVE)
  message(FATAL_ERROR
    "This build runs only on processors like this machine's. Pack one of the preset portable, or "
    "have your way with cpack -D PAROQUANT_PACK_NATIVE=ON.")
endif()
