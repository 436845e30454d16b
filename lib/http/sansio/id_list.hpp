// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace jeton::http {

/// A list of things that live in a vector and are known by their place in it. Nothing is allocated for a link; a thing
/// is in one list at a time, and derives from `links`.
class id_list {
public:
    using id = std::uint32_t;
    static constexpr id none = UINT32_MAX;

    struct links {
        id before = none;
        id after = none;
    };

    id first() const noexcept { return first_; }
    id last() const noexcept { return last_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    template <class Node>
    void push_front(std::vector<Node>& nodes, id which)
    {
        insert_before(nodes, which, first_);
    }

    template <class Node>
    void push_back(std::vector<Node>& nodes, id which)
    {
        insert_before(nodes, which, none);
    }

    /// `none`: at the end.
    template <class Node>
    void insert_before(std::vector<Node>& nodes, id which, id next)
    {
        auto const previous = next == none ? last_ : nodes[next].before;
        nodes[which].before = previous;
        nodes[which].after = next;
        (previous == none ? first_ : nodes[previous].after) = which;
        (next == none ? last_ : nodes[next].before) = which;
        ++size_;
    }

    template <class Node>
    void unlink(std::vector<Node>& nodes, id which)
    {
        Node const& n = nodes[which];
        (n.before == none ? first_ : nodes[n.before].after) = n.after;
        (n.after == none ? last_ : nodes[n.after].before) = n.before;
        --size_;
    }

    /// Takes a place that is not used from this list, or makes one at the end of the vector.
    template <class Node>
    id allot(std::vector<Node>& nodes)
    {
        if (first_ == none) {
            nodes.emplace_back();
            return static_cast<id>(nodes.size() - 1);
        }
        auto const which = first_;
        unlink(nodes, which);
        nodes[which] = {};
        return which;
    }

private:
    id first_ = none;
    id last_ = none;
    std::size_t size_ = 0;
};

}  // namespace jeton::http
