// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/retry_after.hpp"

#include "http/sansio/h1_characters.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace jeton::http {

namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                      "Friday", "Saturday", "Sunday"};

/// Reads a date from left to right; one wrong step and all that follow fail, too.
class date_reader {
public:
    explicit date_reader(std::string_view text) : rest_(text) {}

    bool is(std::string_view literal)
    {
        good_ = good_ && rest_.starts_with(literal);
        if (good_)
            rest_.remove_prefix(literal.size());
        return good_;
    }

    template <std::size_t N>
    unsigned one_of(std::array<std::string_view, N> const& names, std::size_t letters)
    {
        for (unsigned i = 0; i != N; ++i)
            if (rest_.starts_with(names[i].substr(0, letters))) {
                rest_.remove_prefix(std::min(letters, names[i].size()));
                return i;
            }
        good_ = false;
        return 0;
    }

    int number(std::size_t digits)
    {
        int n = 0;
        good_ = good_ && rest_.size() >= digits
                && std::all_of(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(digits), is_digit);
        if (good_) {
            std::from_chars(rest_.data(), rest_.data() + digits, n);
            rest_.remove_prefix(digits);
        }
        return n;
    }

    void time_of_day()
    {
        hour = number(2);
        is(":");
        minute = number(2);
        is(":");
        second = number(2);
    }

    bool next_is(char c) const noexcept { return rest_.starts_with(c); }

    std::optional<sys_seconds> made() const
    {
        auto const date = year_month_day(std::chrono::year(year), std::chrono::month(month + 1),
                                         std::chrono::day(static_cast<unsigned>(day)));
        // 60: a leap second (RFC 9110 §5.6.7).
        if (!good_ || !rest_.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60)
            return std::nullopt;
        return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
    }

    int year = 0;
    unsigned month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;

private:
    std::string_view rest_;
    bool good_ = true;
};

// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<sys_seconds> imf_date(std::string_view text)
{
    date_reader d(text);
    d.one_of(weekdays, 3);
    d.is(", ");
    d.day = d.number(2);
    d.is(" ");
    d.month = d.one_of(months, 3);
    d.is(" ");
    d.year = d.number(4);
    d.is(" ");
    d.time_of_day();
    d.is(" GMT");
    return d.made();
}

// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<sys_seconds> rfc850_date(std::string_view text, wall_time now)
{
    date_reader d(text);
    d.one_of(weekdays, std::string_view::npos);
    d.is(", ");
    d.day = d.number(2);
    d.is("-");
    d.month = d.one_of(months, 3);
    d.is("-");
    // More than 50 years ahead means the last one with these digits (RFC 9110 §5.6.7).
    auto const this_year = static_cast<int>(year_month_day(floor<days>(now)).year());
    d.year = this_year - this_year % 100 + d.number(2);
    if (d.year > this_year + 50)
        d.year -= 100;
    d.is(" ");
    d.time_of_day();
    d.is(" GMT");
    return d.made();
}

// Sun Nov  6 08:49:37 1994
std::optional<sys_seconds> asctime_date(std::string_view text)
{
    date_reader d(text);
    d.one_of(weekdays, 3);
    d.is(" ");
    d.month = d.one_of(months, 3);
    d.is(" ");
    d.day = d.next_is(' ') ? (d.is(" "), d.number(1)) : d.number(2);
    d.is(" ");
    d.time_of_day();
    d.is(" ");
    d.year = d.number(4);
    return d.made();
}

}  // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text, wall_time now)
{
    if (auto const date = imf_date(text))
        return date;
    if (auto const date = rfc850_date(text, now))
        return date;
    return asctime_date(text);
}

std::optional<seconds> parse_retry_after(std::string_view value, wall_time now)
{
    constexpr auto longest = duration_cast<seconds>(duration::max());
    value = trimmed(value);
    if (!value.empty() && std::all_of(value.begin(), value.end(), is_digit)) {
        seconds::rep n = 0;
        auto const read = std::from_chars(value.data(), value.data() + value.size(), n);
        if (read.ec != std::errc() || seconds(n) > longest)
            return std::nullopt;
        return seconds(n);
    }
    auto const date = parse_http_date(value, now);
    if (!date)
        return std::nullopt;
    // In whole seconds, since a date far away does not fit into nanoseconds; rounded up, so as never to come too early.
    auto const left = *date - floor<seconds>(now);
    if (left > longest)
        return std::nullopt;
    return std::max(left, seconds(0));
}

}  // namespace jeton::http
