// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/result.hpp>

namespace jeton {

namespace {

bool says_nothing(diagnostics const& diag) noexcept
{
    return diag.ours.empty() && diag.peer_code.empty() && diag.peer_text.empty() && !diag.http_status
           && !diag.retry_after && !diag.retry_at;
}

/// Failures without diagnostics share one empty object. It has no owner and thus no counter, so threads that copy such
/// failures do not write to one another's cache lines.
std::shared_ptr<diagnostics const> shared(diagnostics&& diag)
{
    static diagnostics const nothing;
    if (says_nothing(diag))
        return {std::shared_ptr<void>(), &nothing};
    return std::make_shared<diagnostics const>(std::move(diag));
}

diagnostics only_ours(std::string ours)
{
    diagnostics diag;
    diag.ours = std::move(ours);
    return diag;
}

}  // namespace

std::string_view to_string(phase p) noexcept
{
    switch (p) {
    case phase::none: return "none";
    case phase::configure: return "configure";
    case phase::token: return "token";
    case phase::queue: return "queue";
    case phase::resolve: return "resolve";
    case phase::connect: return "connect";
    case phase::tls: return "tls";
    case phase::write: return "write";
    case phase::first_byte: return "first_byte";
    case phase::body: return "body";
    }
    return "unknown";
}

std::string_view to_string(delivery d) noexcept
{
    switch (d) {
    case delivery::not_sent: return "not_sent";
    case delivery::maybe_processed: return "maybe_processed";
    case delivery::answered: return "answered";
    }
    return "unknown";
}

failure::failure(std::error_code code, jeton::phase where, jeton::delivery state, diagnostics diag)
    : code_(code), phase_(where), delivery_(state), diag_(shared(std::move(diag)))
{}

failure::failure(std::error_code code, jeton::phase where, jeton::delivery state, std::string ours)
    : failure(code, where, state, only_ours(std::move(ours)))
{}

failure failure::with(jeton::phase where) const
{
    failure other(*this);
    other.phase_ = where;
    return other;
}

failure failure::with(jeton::delivery state) const
{
    failure other(*this);
    other.delivery_ = state;
    return other;
}

failure failure::with(diagnostics diag) const
{
    failure other(*this);
    other.diag_ = shared(std::move(diag));
    return other;
}

std::string failure::to_string() const
{
    std::string line = code_.message();
    line += " (";
    line += error_name(code_);
    line += "), ";
    if (phase_ != jeton::phase::none) {
        line += "phase ";
        line += jeton::to_string(phase_);
        line += ", ";
    }
    line += jeton::to_string(delivery_);
    if (!diag_->ours.empty()) {
        line += ": ";
        line += diag_->ours;
    }
    return line;
}

error::error(failure why) : std::system_error(why.code(), why.to_string()), why_(std::move(why)) {}

failure no_outcome()
{
    return failure(errc::unexpected, phase::none, delivery::maybe_processed, "the operation ended without an outcome");
}

}  // namespace jeton
