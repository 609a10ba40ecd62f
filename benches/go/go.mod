module tiny-coro/benches

go 1.19
