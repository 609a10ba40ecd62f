// The memory cases on goroutines: `memory-go Go CASE`.
package main

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"tiny-coro/benches/child"
)

func main() {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		child.Run()
		return
	}
	child.Run(child.Case{Name: "bytes_per_task", Measure: bytesPerTask})
}

// What a million sleeping goroutines add to the resident memory, each.
func bytesPerTask(name string) {
	tasks := 1_000_000
	if child.Quick {
		tasks = 200_000
	}
	var asleep int64
	before := settled()
	go func() {
		for i := 0; i < tasks; i++ {
			go func() {
				atomic.AddInt64(&asleep, 1)
				time.Sleep(time.Hour)
			}()
		}
	}()
	for atomic.LoadInt64(&asleep) < int64(tasks) {
		time.Sleep(5 * time.Millisecond)
	}
	child.Print(name, "bytes", float64(settled()-before)/float64(tasks))
}

// settled returns the resident memory once it no longer changes.
func settled() int64 {
	last := residentBytes()
	for i := 0; i < 50; i++ {
		time.Sleep(50 * time.Millisecond)
		bytes := residentBytes()
		if bytes == last {
			break
		}
		last = bytes
	}
	return last
}

func residentBytes() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kilobytes); n == 1 {
			return kilobytes * 1024
		}
	}
	panic("no VmRSS")
}
