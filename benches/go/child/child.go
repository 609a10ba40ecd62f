// Package child is what the children of `cargo xtask bench` have in common: GROUP-go CONTENDER CASE measures and prints
// a JSON line per figure. Without arguments it prints a line CONTENDER CASE for each that it knows.
package child

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"syscall"
	"time"
)

// Contender is the name of all of us in the report.
const Contender = "Go"

// A Case prints its figures.
type Case struct {
	Name    string
	Measure func(name string)
}

// Quick says whether fewer and shorter samples will do.
var Quick = os.Getenv("TINY_CORO_BENCH_QUICK") != ""

// Timed is a case whose time per operation is the figure. The workload runs once and returns how many operations that was.
func Timed(name string, workload func() int) Case {
	return Case{name, func(name string) {
		wall, _ := take(workload)
		Print(name, "ns/op", wall)
	}}
}

// TimedWithCPU has a second figure, the processor time of all threads.
func TimedWithCPU(name string, workload func() int) Case {
	return Case{name, func(name string) {
		wall, processor := take(workload)
		Print(name, "ns/op", wall)
		Print(name+"_cpu", "ns/op", processor)
	}}
}

// Run measures what the command line names.
func Run(cases ...Case) {
	workers, err := strconv.Atoi(os.Getenv("TINY_CORO_BENCH_WORKERS"))
	if err != nil {
		workers = 2
	}
	runtime.GOMAXPROCS(workers)
	if len(os.Args) != 3 {
		for _, known := range cases {
			fmt.Println(Contender, known.Name)
		}
		return
	}
	for _, known := range cases {
		if os.Args[1] == Contender && os.Args[2] == known.Name {
			known.Measure(known.Name)
			return
		}
	}
	fmt.Fprintln(os.Stderr, "error: no case", os.Args[2], "of", os.Args[1], "here")
	os.Exit(2)
}

// Print prints a figure.
func Print(row, unit string, value float64) {
	fmt.Printf("{\"row\":\"%s\",\"unit\":\"%s\",\"value\":%.3f}\n", row, unit, value)
}

// In calls f in a goroutine of its own and waits for it.
func In(f func()) {
	done := make(chan struct{}, 1)
	go func() {
		f()
		done <- struct{}{}
	}()
	<-done
}

// take returns the medians of some samples: wall and processor time per operation in nanoseconds. The first one is
// thrown away, unless it took more than a second: then it is the only one.
func take(workload func() int) (float64, float64) {
	count, length := 5, 50*time.Millisecond
	if Quick {
		count, length = 3, 20*time.Millisecond
	}
	var walls, processors []float64
	for begin := time.Now(); len(walls) == 0 || len(walls) <= count && time.Since(begin) < time.Second; {
		wall, processor := sample(length, workload)
		walls, processors = append(walls, wall), append(processors, processor)
	}
	if len(walls) > 1 {
		walls, processors = walls[1:], processors[1:]
	}
	return median(walls), median(processors)
}

func sample(length time.Duration, workload func() int) (float64, float64) {
	before, start, operations := processorTime(), time.Now(), 0
	for {
		operations += workload()
		if wall := time.Since(start); wall >= length {
			processor := processorTime() - before
			return float64(wall.Nanoseconds()) / float64(operations), float64(processor.Nanoseconds()) / float64(operations)
		}
	}
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(samples []float64) float64 {
	sort.Float64s(samples)
	middle := len(samples) / 2
	if len(samples)%2 == 1 {
		return samples[middle]
	}
	return (samples[middle-1] + samples[middle]) / 2
}
