# Proves that asio.cmake finds each kind of mistake: cmake -DTREE=<scratch folder> -P asio_self_test.cmake
include(${CMAKE_CURRENT_LIST_DIR}/self_test.cmake)

file(WRITE ${TREE}/lib/base/asio_moved.hpp "#include <asio/experimental/as_tuple.hpp>\nusing asio::experimental::as_tuple\n")
file(WRITE ${TREE}/lib/net/tcp.cpp "#include \"base/asio_moved.hpp\"\n// Not experimental::as_tuple.\nas_tuple(asio::use_awaitable)\n")
file(WRITE ${TREE}/include/jeton/http/request.hpp "request& query(std::string_view name)\nvoid from(std::string)\n")
file(WRITE ${TREE}/tests/unit/x_test.cpp "asio::experimental::channel_error e asio::any_io_executor start execution::context c\n")
expect_clean(asio)

foreach(folder include/jeton lib/net tests/unit tools/jeton examples bench)
  expect(asio ${folder}/x.hpp "auto x = asio::experimental::as_tuple(token)\n" "${folder}/x.hpp: not the same in every Asio")
endforeach()
foreach(header experimental/append experimental/as_tuple experimental/deferred experimental/prepend io_service io_service_strand
    handler_alloc_hook ssl/rfc2818_verification execution/schedule execution/sender traits/execute_member)
  expect(asio lib/net/x.cpp "#include <asio/${header}.hpp>\n" "lib/net/x.cpp: not the same in every Asio")
endforeach()
foreach(mistake "asio::experimental::deferred(f)" "asio::experimental::append(t, 1)" "asio::io_service io" "asio::null_buffers()"
    "tcp::resolver::query q(host, port)" "tcp::resolver::iterator i" "asio::io_context::work w(io)"
    "asio::buffer_cast<char*>(b)" "socket.get_io_context()" "void* asio_handler_allocate(std::size_t)"
    "asio::ip::address::from_string(text)" "timer.expires_from_now(t)" "asio::execution::execute(ex, f)")
  expect(asio tests/unit/y_test.cpp "${mistake}\n" "tests/unit/y_test.cpp: not the same in every Asio")
endforeach()

expect_clean(asio)
