// SPDX-License-Identifier: BSL-1.0

// The workload with libcurl's multi interface on epoll (curl_multi_socket_action), one easy handle for each request in
// flight, used again and again.

#include "measured.hpp"

#include <curl/curl.h>

#include <sys/epoll.h>

#include <stdexcept>
#include <vector>

namespace {

struct transfer {
    CURL* easy = nullptr;
    std::string answer{};
    bench::measured::time_point begun{};
};

class client {
public:
    explicit client(bench::workload const& w)
        : work_(w),
          http_2_(w.http_2),
          url_("https://" + w.authority() + w.path),
          multi_(curl_multi_init()),
          poll_(::epoll_create1(EPOLL_CLOEXEC))
    {
        fields_ = curl_slist_append(fields_, ("Authorization: Bearer " + bench::bearer_token()).c_str());
        fields_ = curl_slist_append(fields_, "Accept: application/json");
        if (w.post) {
            fields_ = curl_slist_append(fields_, "Content-Type: application/json");
            body_ = bench::json_body();
        }
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
        curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_PIPELINING, w.http_2 ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
        curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(w.in_flight));
        curl_multi_setopt(multi_, CURLMOPT_MAX_CONCURRENT_STREAMS, 256L);
        transfers_.resize(w.in_flight);
        for (auto& one : transfers_)
            prepare(one, w);
    }

    void run()
    {
        for (auto& one : transfers_)
            start(one);
        epoll_event events[64];
        int running = 0;
        while (!work_.done()) {
            int const n = ::epoll_wait(poll_, events, 64, wait_ms_);
            if (n == 0)
                curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
            for (int i = 0; i < n; ++i) {
                auto const what = events[i].events;
                int const flags = ((what & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0)
                                  | ((what & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0)
                                  | ((what & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
                curl_multi_socket_action(multi_, events[i].data.fd, flags, &running);
            }
            collect();
        }
        work_.print();
    }

private:
    void prepare(transfer& one, bench::workload const& w)
    {
        one.easy = curl_easy_init();
        curl_easy_setopt(one.easy, CURLOPT_URL, url_.c_str());
        curl_easy_setopt(one.easy, CURLOPT_CAINFO, w.ca_file.c_str());
        curl_easy_setopt(one.easy, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
        curl_easy_setopt(one.easy, CURLOPT_HTTPHEADER, fields_);
        curl_easy_setopt(one.easy, CURLOPT_USERAGENT, "jeton/0.1.0");
        curl_easy_setopt(one.easy, CURLOPT_HTTP_VERSION, w.http_2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(one.easy, CURLOPT_PIPEWAIT, w.http_2 ? 1L : 0L);
        curl_easy_setopt(one.easy, CURLOPT_TIMEOUT_MS, 30000L);
        curl_easy_setopt(one.easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(one.easy, CURLOPT_PRIVATE, &one);
        curl_easy_setopt(one.easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(one.easy, CURLOPT_WRITEDATA, &one.answer);
        if (w.post) {
            curl_easy_setopt(one.easy, CURLOPT_POSTFIELDS, body_.c_str());
            curl_easy_setopt(one.easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body_.size()));
        }
    }

    void start(transfer& one)
    {
        if (!work_.start(one.begun))
            return;
        one.answer.clear();
        curl_multi_add_handle(multi_, one.easy);
    }

    void collect()
    {
        int left = 0;
        while (auto const* const message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE)
                continue;
            auto const result = message->data.result;
            auto* const easy = message->easy_handle;
            transfer* one = nullptr;
            long status = 0;
            long version = 0;
            curl_easy_getinfo(easy, CURLINFO_PRIVATE, &one);
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
            curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
            if (result != CURLE_OK || status != 200
                || version != (http_2_ ? CURL_HTTP_VERSION_2_0 : CURL_HTTP_VERSION_1_1))
                throw std::runtime_error(result != CURLE_OK ? curl_easy_strerror(result)
                                                            : "not the answer that was expected");
            curl_multi_remove_handle(multi_, easy);
            work_.finish(one->begun);
            start(*one);
        }
    }

    static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* answer)
    {
        static_cast<std::string*>(answer)->append(bytes, size);
        return size;
    }

    static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known)
    {
        auto& me = *static_cast<client*>(self);
        epoll_event event{};
        event.data.fd = socket;
        event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
        ::epoll_ctl(me.poll_,
                    what == CURL_POLL_REMOVE ? EPOLL_CTL_DEL : (known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD),
                    socket, &event);
        if (known == nullptr)
            curl_multi_assign(me.multi_, socket, self);
        return 0;
    }

    static int on_timer(CURLM*, long ms, void* self)
    {
        static_cast<client*>(self)->wait_ms_ = static_cast<int>(ms);
        return 0;
    }

    bench::measured work_;
    bool http_2_;
    std::string url_;
    CURLM* multi_;
    int poll_;
    int wait_ms_ = -1;
    std::string body_{};
    curl_slist* fields_ = nullptr;
    std::vector<transfer> transfers_{};
};

}  // namespace

int main(int argc, char** argv)
{
    auto const w = bench::workload::from(argc, argv);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    client(w).run();
}
