// SPDX-License-Identifier: BSL-1.0
#include "net/session_vault.hpp"

#include "net/peer_identity.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace jeton::net {

namespace {

std::time_t seconds_of(wall_time at) noexcept
{
    return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

bool expired(SSL_SESSION const* one, std::time_t now) noexcept
{
    auto const longest = std::chrono::duration_cast<std::chrono::seconds>(session_vault::longest_life).count();
    auto const made = static_cast<std::time_t>(SSL_SESSION_get_time(one));
    // RFC 8446 §4.6.1: as long as the ticket says. Before TLS 1.3 it need not say anything (RFC 5077 §5.6).
    auto const said = static_cast<std::time_t>(SSL_SESSION_get_ticket_lifetime_hint(one));
    bool const unsaid = said == 0 && SSL_SESSION_get_protocol_version(one) < TLS1_3_VERSION;
    auto const life = std::min<std::time_t>(unsaid ? SSL_SESSION_get_timeout(one) : said, longest);
    // A clock that was set back makes it older than it is, or from the future: neither is to be relied upon.
    return now < made - 60 || now >= made + life;
}

// A resumed handshake shows no certificate: the one that was shown then is looked at again (CVE-2016-5419, CVE-2024-0853).
bool still_valid(SSL_SESSION* one, peer_identity const& who, std::time_t now)
{
    auto* const leaf = SSL_SESSION_get0_peer(one);
    if (leaf == nullptr)
        return false;
    if (X509_cmp_time(X509_get0_notBefore(leaf), &now) != -1 || X509_cmp_time(X509_get0_notAfter(leaf), &now) != 1)
        return false;
    return who.shown_by(leaf);
}

}  // namespace

void free_session::operator()(SSL_SESSION* one) const noexcept { SSL_SESSION_free(one); }

void session_vault::put(std::string const& key, SSL_SESSION const* one)
{
    session_ptr copy(SSL_SESSION_is_resumable(one) == 1 ? SSL_SESSION_dup(one) : nullptr);
    if (!copy)
        return;
    session_ptr last;
    std::scoped_lock const lock(mutex_);
    if (shelves_.size() == most_keys && !shelves_.contains(key))
        shelves_.erase(std::min_element(shelves_.begin(), shelves_.end(),
                                        [](auto const& a, auto const& b) { return a.second.used < b.second.used; }));
    auto& at = shelves_[key];
    at.used = ++uses_;
    at.sessions.push_back(std::move(copy));
    if (at.sessions.size() > most_of_one_key) {
        last = std::move(at.sessions.front());
        at.sessions.pop_front();
    }
}

session_ptr session_vault::take(std::string const& key, peer_identity const& who, wall_time now)
{
    auto const seconds = seconds_of(now);
    std::scoped_lock const lock(mutex_);
    auto const found = shelves_.find(key);
    if (found == shelves_.end())
        return {};
    auto& at = found->second;
    at.used = ++uses_;
    while (!at.sessions.empty()) {
        auto one = std::move(at.sessions.back());
        at.sessions.pop_back();
        if (!expired(one.get(), seconds) && still_valid(one.get(), who, seconds))
            return one;
    }
    return {};
}

std::size_t session_vault::size() const
{
    std::scoped_lock const lock(mutex_);
    std::size_t all = 0;
    for (auto const& [key, at] : shelves_)
        all += at.sessions.size();
    return all;
}

}  // namespace jeton::net
