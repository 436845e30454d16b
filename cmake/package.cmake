# What `cmake --install` installs besides the command: libraries, headers, the CMake package, pkg-config files. All of it may
# be moved to another place afterwards.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/jeton)
set(built ${CMAKE_CURRENT_BINARY_DIR}/package)

# An export set for each component.
install(TARGETS jeton EXPORT jeton-targets FILE_SET HEADERS)
install(TARGETS jeton_json EXPORT jeton-json-targets FILE_SET HEADERS)
set(sets jeton-targets jeton-json-targets)
if(JETON_TESTING_KIT)
  install(TARGETS jeton_testing EXPORT jeton-testing-targets FILE_SET HEADERS)
  list(APPEND sets jeton-testing-targets)
endif()
foreach(set IN LISTS sets)
  install(EXPORT ${set} NAMESPACE jeton:: DESTINATION ${package})
endforeach()

set(JETON_ASIO_NEEDED 1.22.1)
get_target_property(JETON_TYPE jeton TYPE)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/jeton-config.cmake.in ${built}/jeton-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${built}/jeton-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${built}/jeton-config.cmake ${built}/jeton-config-version.cmake ${PROJECT_SOURCE_DIR}/cmake/Findasio.cmake
  ${PROJECT_SOURCE_DIR}/cmake/Findnghttp2.cmake
  DESTINATION ${package})

# The .pc files name their place relative to themselves, unless somebody wants the parts in unrelated places.
set(JETON_PC_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
set(JETON_PC_INCLUDEDIR ${CMAKE_INSTALL_FULL_INCLUDEDIR})
set(JETON_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR} AND NOT IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
  set(root /prefix)
  cmake_path(RELATIVE_PATH root BASE_DIRECTORY ${root}/${CMAKE_INSTALL_LIBDIR}/pkgconfig OUTPUT_VARIABLE up)
  set(JETON_PC_PREFIX "\${pcfiledir}/${up}")
  set(JETON_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(JETON_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(JETON_PC_ASIO "")
if(ASIO_INCLUDE_DIR AND NOT ASIO_INCLUDE_DIR IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  set(JETON_PC_ASIO " -I${ASIO_INCLUDE_DIR}")
endif()
set(names jeton jeton-json)
if(JETON_TESTING_KIT)
  list(APPEND names jeton-testing)
endif()
foreach(name IN LISTS names)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${built}/${name}.pc @ONLY)
  install(FILES ${built}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
