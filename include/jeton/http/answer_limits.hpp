// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace jeton::http {

/// Limits on one answer (RFC 9110 §5.4, §17). What goes over is a failure, and the connection is closed.
struct answer_limits {
    std::size_t status_line = 8 * 1024;        ///< bytes
    std::size_t head = 64 * 1024;              ///< bytes of the header section, and of the trailer section
    std::size_t fields = 256;                  ///< number of them, in each section
    std::size_t body = 16 * 1024 * 1024;       ///< bytes, after chunks are put together
    std::size_t chunk_extensions = 16 * 1024;  ///< bytes in all; they are ignored (RFC 9112 §7.1.1)
    int interim = 32;                          ///< number of 1xx answers before the final one
    std::size_t interim_bytes = 64 * 1024;     ///< of them all
};

}  // namespace jeton::http
