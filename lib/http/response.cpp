// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/response.hpp>

#include <jeton/base/secret.hpp>

#include "http/response_block.hpp"

#include <cstdlib>
#include <utility>

namespace jeton::http {

void response::block::destroy(block* b) noexcept
{
    if (b && b->secret)
        wipe(b, b->used);
    std::free(b);
}

response::response(response&& other) noexcept : block_(std::exchange(other.block_, nullptr)), info_(other.info_) {}

response& response::operator=(response&& other) noexcept
{
    std::swap(block_, other.block_);
    std::swap(info_, other.info_);
    return *this;
}

response::~response() { block::destroy(block_); }

int response::status() const noexcept { return block_ ? block_->status : 0; }

http::headers response::headers() const noexcept { return block_ ? block_->head_fields() : http::headers(); }

http::headers response::trailers() const noexcept
{
    return block_ && block_->trailers != 0 ? block_->trailer_fields() : http::headers();
}

std::string_view response::text() const noexcept { return block_ ? block_->body() : std::string_view(); }

}  // namespace jeton::http
