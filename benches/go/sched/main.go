// The sched cases on goroutines: `sched-go Go CASE`.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"tiny-coro/benches/child"
)

func main() {
	child.Run(
		child.Timed("spawn_join", spawnJoin),
		child.Timed("spawn_local_many", spawnMany(100_000)),
		child.Timed("yield_many", yieldMany),
		child.Timed("ping_pong", pingPong),
		child.Timed("chained_spawn", chainedSpawn),
		child.Timed("skynet", skynet),
		child.Timed("tasks_1e3", spawnMany(1_000)),
		child.Timed("tasks_1e4", spawnMany(10_000)),
		child.Timed("tasks_1e5", spawnMany(100_000)),
		child.Timed("tasks_1e6", spawnMany(1_000_000)),
		child.Timed("tasks_1e7", spawnMany(10_000_000)),
	)
}

// From inside a goroutine: start 10,000 empty ones, then wait for all of them; ten times.
func spawnJoin() int {
	const tasks, times = 10_000, 10
	child.In(func() {
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

// One goroutine starts many that count down.
func spawnMany(many int) func() int {
	return func() int {
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
}

// 200 goroutines yield 1,000 times each.
func yieldMany() int {
	const tasks, yields = 200, 1_000
	child.In(func() {
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
