# What newer versions of Asio have moved or removed is named in one file only: cmake -DROOT=<source dir> -P asio.cmake
#
#   moved     append, as_tuple, deferred and prepend: out of experimental in 1.23, and gone from there in 1.33
#   removed   what ASIO_NO_DEPRECATED does not hide in 1.22 and is gone since, and the old names that it does hide: an
#             example or a test may be compiled without it
cmake_minimum_required(VERSION 3.25)

set(versions lib/base/asio_moved.hpp)
set(headers "<asio/(experimental/(append|as_tuple|deferred|prepend|co_spawn)|io_service|io_service_strand|handler_alloc_hook|handler_invoke_hook|ssl/rfc2818_verification|execution/(bulk_execute|bulk_guarantee|connect|execute|operation_state|receiver|receiver_invocation_error|schedule|scheduler|sender|set_done|set_error|set_value|start|submit)|traits/[a-z_]+_(free|member))\\.hpp>")
set(names "experimental::(append|as_tuple|deferred|prepend|co_spawn)[^a-z_]|io_service|null_buffers|resolver(::|_)query|resolver::iterator|io_context::work[^a-z_]|buffer_cast|get_io_(context|service)|asio_handler_[a-z_]+|handler_(alloc|invoke)_hook|rfc2818_verification|[^a-z_]from_string\\(|expires_from_now|execution::(bulk_execute|connect|execute|schedule|set_done|set_error|set_value|start|submit)[^a-z_]")

set(violations "")
file(GLOB_RECURSE files RELATIVE ${ROOT}
  ${ROOT}/include/*.hpp ${ROOT}/lib/*.[ch]pp ${ROOT}/tests/*.[ch]pp ${ROOT}/tools/*.[ch]pp ${ROOT}/examples/*.[ch]pp ${ROOT}/bench/*.[ch]pp)
if(NOT files)
  message(FATAL_ERROR "nothing to check in '${ROOT}'")
endif()
foreach(file IN LISTS files)
  if(file STREQUAL versions)
    continue()
  endif()
  foreach(pattern "${headers}" "${names}")
    file(STRINGS ${ROOT}/${file} lines REGEX "${pattern}")
    foreach(line IN LISTS lines)
      if(NOT line MATCHES "^[ \t]*//")
        string(APPEND violations "  ${file}: not the same in every Asio, see ${versions}: ${line}\n")
      endif()
    endforeach()
  endforeach()
endforeach()

if(violations)
  message(FATAL_ERROR "asio:\n${violations}")
endif()
list(LENGTH files number)
message(STATUS "asio: ${number} files name nothing that has moved")
