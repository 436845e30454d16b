// SPDX-License-Identifier: BSL-1.0

// The workload with Go's net/http and x/oauth2: PORT CA_FILE REQUESTS IN_FLIGHT [h2] [post]
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func cpu() time.Duration {
	var used syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Not Maxrss, which begins with that of the process that started this one.
func peakRSS() (kib int) {
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Sscan(after, &kib)
	return kib
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func makeClient(caFile string, inFlight int, http2 bool, base string) *http.Client {
	authorities := x509.NewCertPool()
	pem, err := os.ReadFile(caFile)
	check(err)
	authorities.AppendCertsFromPEM(pem)
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS13},
		// Room for those that the transport dials while another one is about to become idle.
		MaxIdleConns:        4 * inFlight,
		MaxIdleConnsPerHost: 4 * inFlight,
		MaxConnsPerHost:     inFlight,
		ForceAttemptHTTP2:   http2,
	}
	if !http2 {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	config := clientcredentials.Config{ClientID: "bench", ClientSecret: "bench", TokenURL: base + "/token"}
	plain := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: transport})
	source := oauth2.ReuseTokenSource(nil, config.TokenSource(plain))
	return &http.Client{
		Transport: &oauth2.Transport{Source: source, Base: transport},
		Timeout:   30 * time.Second,
	}
}

func main() {
	port, caFile := os.Args[1], os.Args[2]
	requests, inFlight := number(os.Args[3]), number(os.Args[4])
	http2, post := false, false
	for _, word := range os.Args[5:] {
		http2 = http2 || word == "h2"
		post = post || word == "post"
	}
	base := "https://localhost:" + port
	client := makeClient(caFile, inFlight, http2, base)
	body := `{"order":"` + strings.Repeat("o", 188) + `"}`

	send := func() {
		method, content := "GET", io.Reader(nil)
		if post {
			method, content = "POST", strings.NewReader(body)
		}
		request, err := http.NewRequest(method, base+"/api/status", content)
		check(err)
		request.Header.Set("Accept", "application/json")
		if post {
			request.Header.Set("Content-Type", "application/json")
		}
		answer, err := client.Do(request)
		check(err)
		_, err = io.ReadAll(answer.Body)
		check(err)
		answer.Body.Close()
		if answer.StatusCode != 200 || (answer.ProtoMajor == 2) != http2 {
			log.Fatal("not the answer that was expected: ", answer.Status, " ", answer.Proto)
		}
	}

	// As measured.hpp has it: first the warm-up, then what is measured, without a pause.
	warmUp := int64(1000 + 40*inFlight)
	all := warmUp + int64(requests)
	var started, finished int64
	var begin time.Time
	var beginCPU time.Duration
	latencies := make([]int64, requests)
	var workers sync.WaitGroup
	for i := 0; i < inFlight; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for atomic.AddInt64(&started, 1) <= all {
				begun := time.Now()
				send()
				n := atomic.AddInt64(&finished, 1)
				if n > warmUp {
					latencies[n-warmUp-1] = int64(time.Since(begun))
				} else if n == warmUp {
					begin, beginCPU = time.Now(), cpu()
				}
			}
		}()
	}
	workers.Wait()
	seconds, used := time.Since(begin).Seconds(), cpu()-beginCPU

	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	percentile := func(share float64) float64 {
		return float64(latencies[int(share*float64(len(latencies)-1))]) / 1000
	}
	fmt.Printf(`{"requests":%d,"seconds":%.6f,"cpu_us_per_request":%.3f,"p50_us":%.1f,"p99_us":%.1f,"p999_us":%.1f,"peak_rss_kib":%d}`+"\n",
		requests, seconds, float64(used.Nanoseconds())/1000/float64(requests),
		percentile(0.5), percentile(0.99), percentile(0.999), peakRSS())
}
