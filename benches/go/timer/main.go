// The timer cases on goroutines: `timer-go Go CASE`.
package main

import (
	"runtime"
	"sort"
	"sync"
	"time"

	"tiny-coro/benches/child"
)

func main() {
	child.Run(
		child.TimedWithCPU("sleep_100k", sleep100k),
		child.Timed("timeout_cancelled", timeoutCancelled),
		child.Case{Name: "sleep_precision", Measure: sleepPrecision},
	)
}

// 100,000 goroutines sleep for 1 to 50 ms.
func sleep100k() int {
	const tasks = 100_000
	child.In(func() {
		var all sync.WaitGroup
		all.Add(tasks)
		for i := 0; i < tasks; i++ {
			length := time.Duration(1+i%50) * time.Millisecond
			go func() {
				time.Sleep(length)
				all.Done()
			}()
		}
		all.Wait()
	})
	return tasks
}

// 200,000 times a time-out of 30 s around one yield.
func timeoutCancelled() int {
	const times = 200_000
	child.In(func() {
		for i := 0; i < times; i++ {
			timeout := time.NewTimer(30 * time.Second)
			runtime.Gosched()
			if !timeout.Stop() {
				panic("a yield is shorter than 30 s")
			}
		}
	})
	return times
}

// How late a sleep of 1 ms is: the median, and the 99th percentile.
func sleepPrecision(name string) {
	count := 1_000
	if child.Quick {
		count = 200
	}
	late := make([]time.Duration, 0, count)
	child.In(func() {
		for i := 0; i < count; i++ {
			start := time.Now()
			time.Sleep(time.Millisecond)
			late = append(late, time.Since(start)-time.Millisecond)
		}
	})
	sort.Slice(late, func(i, j int) bool { return late[i] < late[j] })
	percentile := func(percent int) float64 { return float64(late[count*percent/100].Nanoseconds()) / 1_000 }
	child.Print(name+"_p50", "µs", percentile(50))
	child.Print(name+"_p99", "µs", percentile(99))
}
