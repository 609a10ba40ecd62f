// The http group on net/http: `go-http` serves every route, `go-http raw` reads anything and writes a fixed answer.
// It prints its address; for each line of input it prints the processor time it has used; at the end of input it exits.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"syscall"
)

const (
	workers   = 2
	plaintext = "Hello, World!"
	rawAnswer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, World!"
	readSize  = 4096
	chunks    = 64
	chunkSize = 16 * 1024
)

type message struct {
	Message string `json:"message"`
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/plaintext", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, plaintext)
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body, _ := json.Marshal(message{plaintext})
		w.Write(body)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	})
	chunk := make([]byte, chunkSize)
	for i := range chunk {
		chunk[i] = 'x'
	}
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < chunks; i++ {
			w.Write(chunk)
			w.(http.Flusher).Flush()
		}
	})
	return mux
}

func serveRaw(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			answer, buffer := []byte(rawAnswer), make([]byte, readSize)
			for {
				if n, err := connection.Read(buffer); n == 0 || err != nil {
					return
				}
				if _, err := connection.Write(answer); err != nil {
					return
				}
			}
		}()
	}
}

func micros(t syscall.Timeval) int64 {
	return t.Sec*1_000_000 + int64(t.Usec)
}

func main() {
	runtime.GOMAXPROCS(workers)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if len(os.Args) > 1 && os.Args[1] == "raw" {
		go serveRaw(listener)
	} else {
		go http.Serve(listener, routes())
	}
	fmt.Println(listener.Addr())
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		var usage syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
		fmt.Printf("{\"user_us\":%d,\"system_us\":%d}\n", micros(usage.Utime), micros(usage.Stime))
	}
}
