# Proves that words.cmake finds each kind of mistake: cmake -DTREE=<scratch folder> -P words_self_test.cmake
include(${CMAKE_CURRENT_LIST_DIR}/self_test.cmake)

set(licence "// SPDX-License-Identifier: BSL-1.0\n")
file(WRITE ${TREE}/lib/base/x.cpp "${licence}// see https://example.com/home/page and docs/work/plan\n")
file(WRITE ${TREE}/README.md "# Fine\n")
expect_clean(words)

expect(words lib/base/y.cpp "int y;\n" "lib/base/y.cpp: the first line is not the licence's")
foreach(word "TODO: more" "FIXME" "good enough for now." "a temporary fix")
  expect(words lib/base/y.cpp "${licence}// ${word}\n" "lib/base/y.cpp: loose_ends: // ${word}")
endforeach()
set(root "/")
foreach(path ${root}work/x ${root}home/me/x ${root}root/x ${root}Users/me/x ${root}tmp/x)
  expect(words docs/guide.md "see ${path}\n" "docs/guide.md: machine_paths: see ${path}")
endforeach()
set(at ".")  # so that none of them stands here either
foreach(host registry${at}npmjs${at}org deb${at}debian${at}org pypi${at}org)
  expect(words tests/interop/lock.json "\"https://${host}/x\"\n" "tests/interop/lock.json: registries")
endforeach()
foreach(sleep "std::this_thread::sleep_for(1s)" "usleep(1)" "::sleep(1)")
  expect(words tests/unit/y_test.cpp "${licence}void f() { ${sleep}, }\n" "tests/unit/y_test.cpp: a test that sleeps")
endforeach()
expect_clean(words)
