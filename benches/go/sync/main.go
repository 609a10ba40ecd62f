// The sync cases on goroutines: `sync-go Go CASE`.
package main

import (
	"fmt"
	"sync"

	"tiny-coro/benches/child"
)

func main() {
	child.Run(
		child.Timed("channel_ping_pong", channelPingPong),
		child.Timed("channel_4p1c", func() int { return stream(128, 4, 25_000) }),
		child.Timed("channel_rendezvous", func() int { return stream(0, 1, 20_000) }),
		child.Timed("mutex_8x", mutex8x),
	)
}

// Two goroutines, a channel each way with room for one message.
func channelPingPong() int {
	const trips = 20_000
	child.In(func() {
		ping, pong := make(chan int, 1), make(chan int, 1)
		go func() {
			for message := range ping {
				pong <- message
			}
		}()
		for trip := 0; trip < trips; trip++ {
			ping <- trip
			if <-pong != trip {
				panic("the wrong message")
			}
		}
		close(ping)
	})
	return trips
}

// Some goroutines send to one.
func stream(capacity, senders, each int) int {
	child.In(func() {
		channel := make(chan int, capacity)
		for i := 0; i < senders; i++ {
			go func() {
				for message := 0; message < each; message++ {
					channel <- message
				}
			}()
		}
		sum := 0
		for received := 0; received < senders*each; received++ {
			sum += <-channel
		}
		if sum != senders*(each*(each-1)/2) {
			panic(fmt.Sprint("wrong sum: ", sum))
		}
	})
	return senders * each
}

// Eight goroutines lock, add one and unlock 50,000 times each.
func mutex8x() int {
	const tasks, times = 8, 50_000
	var mutex sync.Mutex
	sum := 0
	child.In(func() {
		var all sync.WaitGroup
		all.Add(tasks)
		for i := 0; i < tasks; i++ {
			go func() {
				for j := 0; j < times; j++ {
					mutex.Lock()
					sum++
					mutex.Unlock()
				}
				all.Done()
			}()
		}
		all.Wait()
	})
	if sum != tasks*times {
		panic(fmt.Sprint("wrong sum: ", sum))
	}
	return tasks * times
}
