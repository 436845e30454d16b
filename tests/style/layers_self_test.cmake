# Proves that layers.cmake finds each kind of mistake: cmake -DTREE=<scratch folder> -P layers_self_test.cmake
include(${CMAKE_CURRENT_LIST_DIR}/self_test.cmake)

file(WRITE ${TREE}/include/jeton/jeton.hpp "#include <jeton/http/request.hpp>\n")
file(WRITE ${TREE}/include/jeton/base/clock.hpp "#include <asio/any_io_executor.hpp>\n")
file(WRITE ${TREE}/include/jeton/base/time.hpp "#include <chrono>\n")
file(WRITE ${TREE}/include/jeton/http/request.hpp "#include <jeton/base/time.hpp>\n")
file(WRITE ${TREE}/include/jeton/http/transport.hpp "#include <jeton/http/request.hpp>\n\n#include <asio/awaitable.hpp>\n")
file(WRITE ${TREE}/include/jeton/client/json.hpp "#include <jeton/http/request.hpp>\n\n#include <boost/json/value.hpp>\n")
file(WRITE ${TREE}/lib/client/json.cpp "#include <jeton/client/json.hpp>\n")
file(WRITE ${TREE}/lib/base/clock.cpp "// Not a steady_timer.\n#include <sys/timerfd.h>\n")
file(WRITE ${TREE}/lib/http/pool.hpp "#include <jeton/base/clock.hpp>\n#include <mutex>\n")
file(WRITE ${TREE}/lib/http/sansio/codec.hpp "#include <jeton/http/request.hpp>\n")
file(WRITE ${TREE}/lib/http/sansio/codec.cpp "#include \"http/sansio/codec.hpp\"\n\n#include <vector>\n")
file(WRITE ${TREE}/lib/http/sansio/limits.hpp "#include <cstddef>\n")
file(WRITE ${TREE}/tools/jeton/main.cpp "#include \"report.hpp\"\n\n#include <jeton/jeton.hpp>\n#include <iostream>\n")
expect_clean(layers)

# Direction.
expect(layers lib/net/socket.cpp "#include <jeton/http/request.hpp>\n" "lib/net/socket.cpp: reaches up to jeton/http/request.hpp")
expect(layers lib/net/socket.cpp "#include \"http/pool.hpp\"\n" "lib/net/socket.cpp: reaches up to \"http/pool.hpp\"")
expect(layers include/jeton/base/result.hpp "#  include <jeton/http/request.hpp>\n" "include/jeton/base/result.hpp: reaches up to")
expect(layers lib/http/client.cpp "#include <jeton/jeton.hpp>\n" "lib/http/client.cpp: includes the umbrella")
expect(layers lib/http/client.cpp "#include \"pool.hpp\"\n" "lib/http/client.cpp: not a path from lib/: \"pool.hpp\"")
expect(layers include/jeton/http/client.hpp "#include \"http/pool.hpp\"\n" "a public header includes a private one")
expect(layers tools/jeton/call.cpp "#include \"http/pool.hpp\"\n" "a tool uses the public headers only")
expect(layers lib/extra/x.cpp "int x;\n" "lib/extra/x.cpp: lies in no layer")

# Purity: at first hand, at second hand, and by asking.
foreach(header asio/awaitable.hpp asio.hpp openssl/ssl.h sys/socket.h mutex shared_mutex thread condition_variable future)
  expect(layers lib/http/sansio/plan.cpp "#include <${header}>\n"
    "lib/http/sansio/plan.cpp: sansio code reaches <${header}> through lib/http/sansio/plan.cpp")
endforeach()
expect(layers lib/http/sansio/plan.cpp "#include <jeton/base/clock.hpp>\n" "sansio code reaches <jeton/base/clock.hpp>")
expect(layers lib/http/sansio/plan.cpp "#include <jeton/http/transport.hpp>\n"
  "sansio code reaches <asio/awaitable.hpp> through include/jeton/http/transport.hpp")
expect(layers lib/http/sansio/limits.hpp "#include \"http/pool.hpp\"\n" "sansio code reaches <mutex> through lib/http/pool.hpp")
foreach(question "auto t = std::chrono::system_clock::now();" "auto t = std::time(nullptr);" "clock_gettime(CLOCK_BOOTTIME, &t);"
    "std::random_device r;" "std::this_thread::yield();")
  expect(layers lib/http/sansio/plan.cpp "void f() { ${question} }\n" "sansio code is told, it does not ask")
endforeach()

# Lightness.
foreach(header asio.hpp asio/ssl.hpp asio/ssl/stream.hpp openssl/ssl.h boost/json.hpp)
  expect(layers include/jeton/http/client.hpp "#include <${header}>\n" "too heavy for a public header: <${header}>")
endforeach()
foreach(header asio.hpp asio/ssl.hpp openssl/ssl.h boost/json.hpp boost/url/url.hpp boost/asio.hpp)
  expect(layers include/jeton/client/json.hpp "#include <${header}>\n" "include/jeton/client/json.hpp: too heavy for a public header: <${header}>")
endforeach()
expect(layers include/jeton/http/json.hpp "#include <boost/json/value.hpp>\n" "too heavy for a public header: <boost/json/value.hpp>")
expect(layers include/jeton/client/client.hpp "#include <jeton/client/json.hpp>\n" "include/jeton/client/client.hpp: drags along")
expect(layers include/jeton/jeton.hpp "#include <jeton/client/json.hpp>\n" "include/jeton/jeton.hpp: drags along")
expect(layers include/jeton/http/client.hpp "#pragma once\n#define JETON_X 1\n" "a macro in a public header")

# Waiting.
foreach(wait "asio::steady_timer t(io);" "asio::basic_waitable_timer<my_clock> t(io);" "co_await asio::experimental::make_parallel_group(a, b);"
    "using namespace asio::experimental::awaitable_operators;")
  expect(layers lib/http/client.cpp "void f() { ${wait} }\n" "waits by other means than the clock")
endforeach()
expect(layers lib/http/client.cpp "#include <asio/experimental/channel.hpp>\n" "waits by other means than the clock")

# What the compiler gets wrong.
foreach(statement "if ((co_await next()).done()) co_return@" "while (!co_await next()) {}")
  string(REPLACE "@" "\\;" statement "${statement}")
  expect(layers lib/http/client.cpp "awaitable<void> f() {\n    ${statement}\n}\n" "g++ 12 may not compile this right")
endforeach()

expect_clean(layers)
