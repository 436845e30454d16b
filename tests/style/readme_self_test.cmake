# Proves that readme.cmake notices when page and example part ways: cmake -DTREE=<scratch folder> -P readme_self_test.cmake
include(${CMAKE_CURRENT_LIST_DIR}/self_test.cmake)

file(WRITE ${TREE}/examples/a.cpp "// SPDX-License-Identifier: BSL-1.0\n#include <x>\n\nint main()\n{\n    int v[2]{}; return v[0];\n}\n")
set(whole "<!-- examples/a.cpp -->\n```cpp\n#include <x>\n\nint main()\n{\n    int v[2]{}; return v[0];\n}\n```\n")
set(part "text\n\n<!-- part of examples/a.cpp -->\n```cpp\n    int v[2]{}; return v[0];\n```\nmore\n")
file(WRITE ${TREE}/README.md "# A\n${whole}\n${part}")
file(WRITE ${TREE}/docs/b.md "# B\n\n${part}")
expect_clean(readme)

string(REPLACE "return v" "return  v" other "${whole}")
expect(readme README.md "${other}" "README.md: differs from examples/a.cpp")
string(REPLACE "<x>" "<y>" other "${whole}")
expect(readme README.md "${part}${other}" "README.md: differs from examples/a.cpp")
string(REPLACE "return v" "return w" other "${part}")
expect(readme docs/b.md "${whole}${other}" "docs/b.md: shows what is not in examples/a.cpp")
expect(readme docs/b.md "# B\n```cpp\nint main() {}\n```\n" "docs/b.md: code that nobody compiles")
expect(readme docs/b.md "<!-- examples/c.cpp -->\n```cpp\nint main() {}\n```\n" "docs/b.md: there is no examples/c.cpp")
expect_clean(readme)
