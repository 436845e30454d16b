// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

struct nghttp2_hd_inflater;

namespace jeton::testing {

/// What became of one request, or the beginning of one, that reached a server.
struct arrival {
    unsigned connection = 0;
    std::uint32_t stream = 0;  ///< 0: HTTP/1.1
    std::string id{};          ///< the last segment of its path; empty: not so much of it came
    bool whole = false;        ///< to the last byte
    bool acted = false;        ///< the server has done what it asks for
    bool refused = false;      ///< the server said, before it acted, that it will not
    bool answered = false;     ///< the server began to say what came of it
};

/// The server's book, in the order of arrival. References stay valid.
using ledger = std::deque<arrival>;

/// Reads what a client sends on one connection, and enters each request as soon as a byte of it can be told from
/// everything else. Independent of both the client's code and the servers': by hand, but for HPACK.
class wire_reader {
public:
    /// `into` must outlive it.
    wire_reader(ledger& into, unsigned connection, bool h2);
    ~wire_reader();
    wire_reader(wire_reader const&) = delete;
    wire_reader& operator=(wire_reader const&) = delete;

    void feed(std::string_view bytes);

    /// Of that stream, or the latest over HTTP/1.1; null: there is none.
    arrival* find(std::uint32_t stream) noexcept;

    /// Bytes were left that begin something, a frame's header for instance.
    bool fraction() const noexcept { return !rest_.empty(); }

    /// It could not be read as requests of a client of ours.
    bool confused() const noexcept { return confused_; }

private:
    bool take_h1();
    bool take_frame();
    void take_header_block(arrival& of, std::string_view block, bool last_piece);
    arrival& enter(std::uint32_t stream);

    ledger& into_;
    std::deque<arrival*> mine_{};
    std::string rest_{};
    arrival* open_ = nullptr;  // HTTP/1.1: not whole yet
    nghttp2_hd_inflater* inflater_ = nullptr;
    unsigned connection_;
    bool preface_seen_ = false;
    bool confused_ = false;
};

}  // namespace jeton::testing
