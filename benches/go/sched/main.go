// The sched cases on goroutines: `go-sched CASE` warms up, measures, prints the median as a JSON line.
// Without an argument it prints the names of the cases.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

const (
	workers    = 2
	minSamples = 5
	minTime    = 250 * time.Millisecond
)

type workload struct {
	name string
	run  func() int // returns the number of operations
}

var workloads = []workload{
	{"spawn_join", spawnJoin},
	{"spawn_local_many", spawnLocalMany},
	{"yield_many", yieldMany},
	{"ping_pong", pingPong},
	{"chained_spawn", chainedSpawn},
	{"skynet", skynet},
}

// From inside a goroutine: start 10,000 empty ones, then wait for all of them; ten times.
func spawnJoin() int {
	const tasks, times = 10_000, 10
	run(func() {
		for i := 0; i < times; i++ {
			var all sync.WaitGroup
			all.Add(tasks)
			for j := 0; j < tasks; j++ {
				go all.Done()
			}
			all.Wait()
		}
	})
	return tasks * times
}

// One goroutine starts 100,000 that count down.
func spawnLocalMany() int {
	const many = 100_000
	left := int64(many)
	done := make(chan struct{}, 1)
	go func() {
		for i := 0; i < many; i++ {
			go func() {
				if atomic.AddInt64(&left, -1) == 0 {
					done <- struct{}{}
				}
			}()
		}
	}()
	<-done
	return many
}

// 200 goroutines yield 1,000 times each.
func yieldMany() int {
	const tasks, yields = 200, 1_000
	run(func() {
		var all sync.WaitGroup
		all.Add(tasks)
		for i := 0; i < tasks; i++ {
			go func() {
				for j := 0; j < yields; j++ {
					runtime.Gosched()
				}
				all.Done()
			}()
		}
		all.Wait()
	})
	return tasks * yields
}

// 10,000 pairs exchange two messages over channels with room for one.
func pingPong() int {
	const pairs = 10_000
	left := int64(pairs)
	done := make(chan struct{}, 1)
	go func() {
		for i := 0; i < pairs; i++ {
			go func() {
				ping, pong := make(chan struct{}, 1), make(chan struct{}, 1)
				go func() {
					<-ping
					pong <- struct{}{}
				}()
				ping <- struct{}{}
				<-pong
				if atomic.AddInt64(&left, -1) == 0 {
					done <- struct{}{}
				}
			}()
		}
	}()
	<-done
	return pairs
}

// Goroutine n starts goroutine n-1, 10,000 deep; ten times.
func chainedSpawn() int {
	const depth, times = 10_000, 10
	for i := 0; i < times; i++ {
		done := make(chan struct{}, 1)
		go link(depth, done)
		<-done
	}
	return depth * times
}

func link(left int, done chan struct{}) {
	if left == 0 {
		done <- struct{}{}
	} else {
		go link(left-1, done)
	}
}

// 111,111 goroutines in a tree of fan-out 10; the sums of the leaves go upward.
func skynet() int {
	const leaves, tasks = 100_000, 111_111
	sum := make(chan int, 1)
	go branch(0, leaves, sum)
	if got := <-sum; got != leaves*(leaves-1)/2 {
		panic(fmt.Sprint("wrong sum: ", got))
	}
	return tasks
}

func branch(first, leaves int, up chan int) {
	if leaves == 1 {
		up <- first
		return
	}
	const fanOut = 10
	sums := make(chan int, fanOut)
	each := leaves / fanOut
	for i := 0; i < fanOut; i++ {
		go branch(first+i*each, each, sums)
	}
	sum := 0
	for i := 0; i < fanOut; i++ {
		sum += <-sums
	}
	up <- sum
}

// run calls f in a goroutine of its own and waits for it.
func run(f func()) {
	done := make(chan struct{}, 1)
	go func() {
		f()
		done <- struct{}{}
	}()
	<-done
}

func median(samples []float64) float64 {
	sort.Float64s(samples)
	middle := len(samples) / 2
	if len(samples)%2 == 1 {
		return samples[middle]
	}
	return (samples[middle-1] + samples[middle]) / 2
}

func main() {
	runtime.GOMAXPROCS(workers)
	if len(os.Args) < 2 {
		for _, w := range workloads {
			fmt.Println(w.name)
		}
		return
	}
	for _, w := range workloads {
		if w.name != os.Args[1] {
			continue
		}
		w.run()
		var samples []float64
		for begin := time.Now(); len(samples) < minSamples || time.Since(begin) < minTime; {
			start := time.Now()
			operations := w.run()
			samples = append(samples, float64(time.Since(start).Nanoseconds())/float64(operations))
		}
		fmt.Printf("{\"case\":\"%s\",\"ns_per_op\":%.3f}\n", w.name, median(samples))
		return
	}
	fmt.Fprintln(os.Stderr, "error: no case", os.Args[1], "here")
	os.Exit(2)
}
