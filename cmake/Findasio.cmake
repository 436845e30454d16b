# Standalone Asio, of which Debian ships neither a CMake package nor a .pc file.
# Defines asio::asio and asio_VERSION. A target asio::asio that is there already is the program's own choice, and stays.
if(TARGET asio::asio)
  get_target_property(_asio_hints asio::asio INTERFACE_INCLUDE_DIRECTORIES)
else()
  set(_asio_hints "")
endif()
find_path(ASIO_INCLUDE_DIR asio/awaitable.hpp HINTS ${_asio_hints})
mark_as_advanced(ASIO_INCLUDE_DIR)

if(ASIO_INCLUDE_DIR)
  file(STRINGS ${ASIO_INCLUDE_DIR}/asio/version.hpp _line REGEX "define ASIO_VERSION [0-9]+")
  string(REGEX MATCH "ASIO_VERSION ([0-9]+)" _ "${_line}")
  set(_number ${CMAKE_MATCH_1})
  math(EXPR _major "${_number} / 100000")
  math(EXPR _minor "${_number} / 100 % 1000")
  math(EXPR _patch "${_number} % 100")
  set(asio_VERSION ${_major}.${_minor}.${_patch})
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(asio REQUIRED_VARS ASIO_INCLUDE_DIR VERSION_VAR asio_VERSION)

if(asio_FOUND AND NOT TARGET asio::asio)
  find_package(Threads REQUIRED)
  add_library(asio::asio INTERFACE IMPORTED)
  target_include_directories(asio::asio SYSTEM INTERFACE ${ASIO_INCLUDE_DIR})
  # Asio 1.22 decides by what happens to be included before it whether memory comes from aligned_alloc or operator new;
  # two translation units that disagree give it back the wrong way.
  target_compile_definitions(asio::asio INTERFACE ASIO_STANDALONE ASIO_HAS_STD_ALIGNED_ALLOC=1)
  # It also knows of clang's coroutines only those that were experimental.
  target_compile_definitions(asio::asio INTERFACE
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:ASIO_HAS_CO_AWAIT=1> $<$<COMPILE_LANG_AND_ID:CXX,Clang>:ASIO_HAS_STD_COROUTINE=1>)
  target_link_libraries(asio::asio INTERFACE Threads::Threads)
endif()
foreach(_name _asio_hints _line _number _major _minor _patch)
  unset(${_name})
endforeach()
