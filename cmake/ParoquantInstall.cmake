# Installs the program with its recipes, pages and completions (component "program"), and the library
# with its public headers and a package for find_package (component "library").
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/paroquant)
set(share_folder ${CMAKE_INSTALL_DATAROOTDIR})

install(TARGETS paroquant_cli COMPONENT program)
install(DIRECTORY configs DESTINATION ${share_folder}/paroquant COMPONENT program)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)

# Manual pages and completions are printed by the program itself, from the definitions of its
# options.
set(printed ${PROJECT_BINARY_DIR}/share)
add_custom_command(
  OUTPUT ${printed}/man/man1/paroquant.1
  COMMAND ${CMAKE_COMMAND} -D program=$<TARGET_FILE:paroquant_cli> -D folder=${printed}
          -P ${PROJECT_SOURCE_DIR}/cmake/PrintManual.cmake
  DEPENDS paroquant_cli ${PROJECT_SOURCE_DIR}/cmake/PrintManual.cmake
  COMMENT "Printing manual pages and completions"
  VERBATIM)
add_custom_target(paroquant_manual ALL DEPENDS ${printed}/man/man1/paroquant.1)
install(DIRECTORY ${printed}/ DESTINATION ${share_folder} COMPONENT program)

install(TARGETS paroquant EXPORT paroquantTargets COMPONENT library)
install(DIRECTORY include/paroquant DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(EXPORT paroquantTargets NAMESPACE paroquant:: DESTINATION ${package_folder}
        COMPONENT library)
configure_package_config_file(
  cmake/paroquantConfig.cmake.in ${PROJECT_BINARY_DIR}/paroquantConfig.cmake
  INSTALL_DESTINATION ${package_folder})
# Before 1.0 a minor version may break the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/paroquantConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/paroquantConfig.cmake
              ${PROJECT_BINARY_DIR}/paroquantConfigVersion.cmake
        DESTINATION ${package_folder} COMPONENT library)
