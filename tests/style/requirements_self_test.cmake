# Proves that requirements.cmake counts tests and nothing else: cmake -DTREE=<scratch folder> -P requirements_self_test.cmake
include(${CMAKE_CURRENT_LIST_DIR}/self_test.cmake)

file(WRITE ${TREE}/tests/requirements.md "# Rows\n\n| ID | rule | bad input |\n|---|---|---|\n| A1 | one | refused |\n| A10 | ten | – |\n")
set(in_name "BOOST_AUTO_TEST_CASE(A1_holds)\n{\n    BOOST_TEST(f([] { return 1; })[0]);\n}\n")
set(inside "BOOST_AUTO_TEST_CASE(bad_input)\n{\n    // A1: refused.\n}\n")
set(above "// A10: ten.\nBOOST_DATA_TEST_CASE(ten, data::make(\n    {1, 2}), n)\n{\n}\n")
file(WRITE ${TREE}/tests/unit/x_test.cpp "${in_name}\n${inside}\n${above}")
expect_clean(requirements)

expect(requirements tests/unit/x_test.cpp "${in_name}${inside}" "A10: no test names it")
expect(requirements tests/unit/x_test.cpp "${in_name}${above}" "A1: one test names it; one must show what bad input gets")
expect(requirements tests/unit/x_test.cpp "${in_name}${above}// A1: a comment of no test.\nint x{};\n" "A1: one test names it")
expect(requirements tests/unit/x_test.cpp "${in_name}${above}BOOST_AUTO_TEST_CASE(other)\n{\n    f();\n    // A1: too late.\n}\n"
  "A1: one test names it")
expect(requirements tests/unit/x_test.cpp "${in_name}${inside}BOOST_AUTO_TEST_CASE(A100_is_not_A1)\n{\n}\n" "A10: no test names it")
expect(requirements tests/requirements.md "| A1 | one | refused |\n| A1 | again | – |\n" "A1 stands there twice")
expect(requirements tests/requirements.md "| A1 | one |\n" "not a row")
expect(requirements tests/requirements.md "# Nothing\n" "no rows in")
expect_clean(requirements)
