// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jeton::testing {

/// What has been asked for, and how often. The latest entries are kept in a ring whose strings are used again, the counts
/// for ever; neither allocates for a request of a kind that has been seen before.
///
/// \tparam Entry  one request; only assigned to
template <class Entry>
class ring {
public:
    explicit ring(std::size_t size) : size_(size) {}

    /// The place for one more; what stands there is of the entry that it replaces. Null if nothing is kept.
    Entry* next()
    {
        if (size_ == 0)
            return nullptr;
        if (entries_.size() < size_)
            return &entries_.emplace_back();
        auto& oldest = entries_[begin_];
        begin_ = (begin_ + 1) % size_;
        return &oldest;
    }

    std::vector<Entry> oldest_first() const
    {
        std::vector<Entry> all;
        all.reserve(entries_.size());
        for (std::size_t i = 0; i != entries_.size(); ++i)
            all.push_back(entries_[(begin_ + i) % entries_.size()]);
        return all;
    }

    void clear()
    {
        entries_.clear();
        begin_ = 0;
    }

private:
    std::size_t size_;
    std::size_t begin_ = 0;
    std::vector<Entry> entries_{};
};

/// How often each request has been seen: by method and path, and by what makes two of them the same.
class request_tally {
public:
    /// \param body_hash  0: not to be told apart
    void count(std::string_view method, std::string_view path, std::uint64_t body_hash, bool comparable);

    std::uint64_t seen(std::string_view method, std::string_view path) const;
    std::uint64_t most_repeated(std::string_view method) const;
    void clear();

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>()(s); }
    };
    using numbers = std::unordered_map<std::string, std::uint64_t, text_hash, std::equal_to<>>;
    struct of_method {
        numbers paths{};
        std::unordered_map<std::uint64_t, std::uint64_t> bodies{};  // by hash of path and body
        std::uint64_t most_repeated = 0;
    };

    // Peers could fill the memory with paths; a sandbox that has seen so many counts only the ones it knows.
    static constexpr std::size_t most_kinds = 1'000'000;

    std::unordered_map<std::string, of_method, text_hash, std::equal_to<>> methods_{};
};

}  // namespace jeton::testing
