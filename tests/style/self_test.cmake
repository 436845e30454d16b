# What the self-tests of the checks share: a small tree that is in order, one mistake put into it at a time, and the
# check must name each. A check that cannot fail proves nothing.
cmake_minimum_required(VERSION 3.25)

# run(<check> <out>): the check's complaint about the tree; empty if it has none.
function(run check out)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -DROOT=${TREE} -P ${CMAKE_CURRENT_LIST_DIR}/${check}.cmake
    RESULT_VARIABLE status ERROR_VARIABLE complaint OUTPUT_QUIET)
  if(status EQUAL 0)
    set(complaint "")
  endif()
  # message() breaks long lines; the expectations are single ones.
  string(REGEX REPLACE "[ \n]+" " " complaint "${complaint}")
  set(${out} "${complaint}" PARENT_SCOPE)
endfunction()

# expect_clean(<check>): nothing is wrong with the tree.
function(expect_clean check)
  run(${check} complaint)
  if(complaint)
    message(FATAL_ERROR "${check} complains about a tree that is in order: ${complaint}")
  endif()
endfunction()

# expect(<check> <file> <content> <words>): with that file in the tree, the complaint contains these words.
function(expect check file content words)
  set(before "")
  if(EXISTS ${TREE}/${file})
    file(READ ${TREE}/${file} before)
  endif()
  file(WRITE ${TREE}/${file} "${content}")
  run(${check} complaint)
  string(FIND "${complaint}" "${words}" at)
  if(at EQUAL -1)
    message(SEND_ERROR "${check} was to say '${words}' about ${file}, but said '${complaint}'")
  endif()
  if(before STREQUAL "")
    file(REMOVE ${TREE}/${file})
  else()
    file(WRITE ${TREE}/${file} "${before}")
  endif()
endfunction()

if(NOT TREE)
  message(FATAL_ERROR "usage: cmake -DTREE=<scratch folder> -P <check>_self_test.cmake")
endif()
file(REMOVE_RECURSE ${TREE})
