# What must not stand in the repository, whoever wrote it: cmake -DROOT=<source dir> -P words.cmake
#
#   no loose ends; no paths of one machine; no hosts of package registries; a licence line first; no test that sleeps
#
# Files that are long are mentioned, not refused.
cmake_minimum_required(VERSION 3.25)

set(loose_ends "(TODO|FIXME|HACK|[Ff]or now[^a-z]|[Tt]emporary (fix|solution|hack))")
set(machine_paths "(^|[^A-Za-z0-9_.}~-])/(work|home|root|Users|tmp)/")
set(registries "(registry\\.npmjs|npmjs\\.(org|com)|registry\\.yarnpkg|deb\\.debian\\.org|security\\.debian\\.org|snapshot\\.debian|pypi\\.org|pythonhosted|crates\\.io|nodesource|proxy\\.golang)")
set(sleeps "(sleep_for|sleep_until|usleep|nanosleep|[^a-z_]sleep\\()")
set(long 400)

set(bad "")
set(notes "")
file(GLOB_RECURSE files RELATIVE ${ROOT}
  ${ROOT}/include/* ${ROOT}/lib/* ${ROOT}/tests/* ${ROOT}/tools/* ${ROOT}/examples/* ${ROOT}/bench/* ${ROOT}/docs/* ${ROOT}/cmake/*
  ${ROOT}/scripts/* ${ROOT}/.ci/*)
file(GLOB top RELATIVE ${ROOT} ${ROOT}/*.md ${ROOT}/*.json ${ROOT}/*.txt ${ROOT}/.clang-tidy ${ROOT}/.clang-format ${ROOT}/.gitignore)
list(APPEND files ${top})
# The checks themselves name what they look for.
list(FILTER files EXCLUDE REGEX "^tests/style/|/node_modules/|\\.(png|svg|pem|der)$")

foreach(file IN LISTS files)
  foreach(rule loose_ends machine_paths registries)
    file(STRINGS ${ROOT}/${file} hits REGEX "${${rule}}")
    foreach(hit IN LISTS hits)
      string(APPEND bad "  ${file}: ${rule}: ${hit}\n")
    endforeach()
  endforeach()
  if(file MATCHES "^tests/")
    file(STRINGS ${ROOT}/${file} hits REGEX "${sleeps}")
    foreach(hit IN LISTS hits)
      string(APPEND bad "  ${file}: a test that sleeps: ${hit}\n")
    endforeach()
  endif()
  if(file MATCHES "\\.[ch]pp$")
    file(STRINGS ${ROOT}/${file} first LIMIT_COUNT 1)
    if(NOT first STREQUAL "// SPDX-License-Identifier: BSL-1.0")
      string(APPEND bad "  ${file}: the first line is not the licence's\n")
    endif()
    file(READ ${ROOT}/${file} text)
    string(REGEX REPLACE "[^\n]+" "" text "${text}")
    string(LENGTH "${text}" length)
    if(length GREATER long)
      string(APPEND notes "  ${file}: ${length} lines\n")
    endif()
  endif()
endforeach()

if(notes)
  message(STATUS "long files; do they hold two concepts?\n${notes}")
endif()
if(bad)
  message(FATAL_ERROR "words:\n${bad}")
endif()
list(LENGTH files number)
message(STATUS "words: ${number} files")
