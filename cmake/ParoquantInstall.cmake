# Installs the library, its public headers, the command line and a package for find_package.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/paroquant)

install(TARGETS paroquant EXPORT paroquantTargets)
install(TARGETS paroquant_cli)
install(DIRECTORY include/paroquant DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT paroquantTargets NAMESPACE paroquant:: DESTINATION ${package_folder})

configure_package_config_file(
  cmake/paroquantConfig.cmake.in ${PROJECT_BINARY_DIR}/paroquantConfig.cmake
  INSTALL_DESTINATION ${package_folder})
# Before 1.0 a minor version may break the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/paroquantConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/paroquantConfig.cmake
              ${PROJECT_BINARY_DIR}/paroquantConfigVersion.cmake DESTINATION ${package_folder})
