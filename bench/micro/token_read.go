// SPDX-License-Identifier: BSL-1.0

// What it costs to be given a token that is there already by x/oauth2: ns of CPU for each read, on each of so many
// threads that read the one token. One line of JSON for each number of threads.
package main

import (
	"fmt"
	"log"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/oauth2"
)

const reads = 500_000
const runs = 5
const ofThisThread = 1 // RUSAGE_THREAD

func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(ofThisThread, &used); err != nil {
		log.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func readOften(source oauth2.TokenSource) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begun := cpu()
	for i := 0; i < reads; i++ {
		if _, err := source.Token(); err != nil {
			log.Fatal(err)
		}
	}
	return cpu() - begun
}

func main() {
	token := &oauth2.Token{AccessToken: strings.Repeat("t", 800), Expiry: time.Now().Add(time.Hour)}
	for _, threads := range []int{1, 2, 4} {
		var took []float64
		for run := 0; run < runs; run++ {
			source := oauth2.ReuseTokenSource(token, nil)
			var all time.Duration
			var lock sync.Mutex
			var readers sync.WaitGroup
			for i := 0; i < threads; i++ {
				readers.Add(1)
				go func() {
					defer readers.Done()
					mine := readOften(source)
					lock.Lock()
					all += mine
					lock.Unlock()
				}()
			}
			readers.Wait()
			took = append(took, float64(all.Nanoseconds())/reads/float64(threads))
		}
		sort.Float64s(took)
		fmt.Printf("{\"threads\":%d,\"cpu_ns\":%.1f}\n", threads, took[runs/2])
	}
}
