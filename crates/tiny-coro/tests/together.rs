#![cfg(not(tiny_coro_loom))]
//! A program that uses the runtime, tasks, time, channels and sockets together, through the facade alone: a service that squares
//! numbers, with clients, a limit for silent ones, and an end in good order.

use futures_lite::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tiny_coro::net::{TcpListener, TcpStream};
use tiny_coro::runtime::{Builder, Wait};
use tiny_coro::sync::{CancellationToken, channel, oneshot};
use tiny_coro::task::{self, JoinSet};
use tiny_coro::time::{Duration, Instant, MissedTickBehavior, interval, sleep, timeout};

const WATCHDOG: Duration = Duration::from_secs(60);
const CLIENTS: u64 = 20;

tiny_coro::task_local! {
    static CLIENT: usize;
}

/// Answers each line, a number, with its square; says goodbye when told to stop.
async fn serve(mut stream: TcpStream, stop: CancellationToken) -> io::Result<u64> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader);
    let mut answered = 0;
    loop {
        let mut line = String::new();
        let Some(read) = stop.run_until_cancelled(timeout(WATCHDOG, lines.read_line(&mut line))).await else {
            writer.write_all(b"bye\n").await?;
            return Ok(answered);
        };
        if read?? == 0 {
            return Ok(answered);
        }
        let number: u64 = line.trim().parse().map_err(io::Error::other)?;
        let square = tiny_coro::spawn_blocking(move || number * number).await?;
        writer.write_all(format!("{square}\n").as_bytes()).await?;
        answered += 1;
    }
}

/// Accepts until told to stop, then waits for the connections, and returns how many lines each has answered.
async fn service(listener: TcpListener, stop: CancellationToken) -> Vec<u64> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut connections = JoinSet::new();
    while let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let stop = stop.clone();
        connections.spawn(CLIENT.scope(number, async move {
            let answered = serve(stream, stop).await.expect("the client is well-behaved");
            (CLIENT.get(), answered)
        }));
    }
    let mut answered = connections.join_all().await;
    answered.sort_unstable();
    answered.into_iter().map(|(_, answered)| answered).collect()
}

/// Asks for `count` squares, then waits for the service to end, and returns the sum.
async fn client(address: SocketAddr, count: u64, asked: channel::Sender<u64>) -> io::Result<u64> {
    let (reader, mut writer) = TcpStream::connect(address).await?.into_split();
    let mut lines = BufReader::new(reader);
    let mut sum = 0;
    for number in 0..count {
        writer.write_all(format!("{number}\n").as_bytes()).await?;
        let mut line = String::new();
        lines.read_line(&mut line).await?;
        sum += line.trim().parse::<u64>().map_err(io::Error::other)?;
    }
    asked.send(count).await.map_err(io::Error::other)?;
    let mut rest = String::new();
    lines.read_to_string(&mut rest).await?;
    assert_eq!(rest, "bye\n");
    Ok(sum)
}

async fn program() -> (u64, Vec<u64>) {
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = tiny_coro::spawn(service(listener, stop.child_token()));
    let (asked, all) = channel::bounded(1);
    let sum = task::scope(async |scope| {
        let clients: Vec<_> = (1..=CLIENTS).map(|count| scope.spawn(client(address, count, asked.clone()))).collect();
        for _ in 0..CLIENTS {
            all.recv().await.unwrap();
        }
        stop.cancel();
        let mut sum = 0;
        for client in clients {
            sum += client.await.unwrap().unwrap();
        }
        sum
    })
    .await;
    (sum, service.await.unwrap())
}

fn check((sum, mut answered): (u64, Vec<u64>)) {
    let squares = |count: u64| (0..count).map(|number| number * number).sum::<u64>();
    assert_eq!(sum, (1..=CLIENTS).map(squares).sum());
    answered.sort_unstable();
    assert_eq!(answered, (1..=CLIENTS).collect::<Vec<_>>());
}

#[tiny_coro::test]
async fn a_service_on_one_thread() {
    check(timeout(WATCHDOG, program()).await.unwrap());
}

#[tiny_coro::test(worker_threads = 4)]
async fn a_service_on_workers() {
    check(timeout(WATCHDOG, program()).await.unwrap());
}

/// The same program in a task that blocks its worker on it: the one worker there is goes on elsewhere.
#[test]
fn a_service_inside_a_task_that_blocks() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    let task = runtime.spawn(async move { handle.block_on(timeout(WATCHDOG, program())) });
    check(runtime.block_on(task).unwrap().unwrap());
    let report = runtime.shutdown(Instant::now().into_std() + WATCHDOG);
    assert!(report.is_clean(), "{report}");
}

/// What `timeout`, `interval`, tasks and channels make of an hour, in no time.
#[tiny_coro::test(start_paused = true)]
async fn an_hour_of_retries_on_a_clock_that_stands() {
    let start = Instant::now();
    let (sender, receiver) = channel::bounded(1);
    tiny_coro::spawn(async move {
        let mut ticks = interval(Duration::from_secs(600));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let tick = ticks.tick().await;
            if sender.send(tick - start).await.is_err() {
                return;
            }
        }
    })
    .detach();
    let mut ticks = Vec::new();
    // Each time somebody waits for less than a tick, and in vain.
    while start.elapsed() < Duration::from_secs(3600) {
        if let Ok(tick) = timeout(Duration::from_secs(400), receiver.recv()).await {
            ticks.push(tick.unwrap().as_secs());
        }
    }
    assert_eq!(ticks, [0, 600, 1200, 1800, 2400, 3000, 3600]);
    assert_eq!(start.elapsed(), Duration::from_secs(3600));
}

/// The end lists what was left, by name and by what it waited for.
#[test]
fn the_report_of_a_program_that_did_not_end() {
    let runtime = tiny_coro::Runtime::builder().worker_threads(2).build().unwrap();
    let (waits, waiting) = oneshot::channel();
    runtime.block_on(async {
        let sleeper = task::Builder::new().name("sleeper").spawn(sleep(WATCHDOG * 60));
        let joiner = task::Builder::new().name("joiner").spawn(async move {
            waits.send(sleeper.id()).unwrap();
            sleeper.await
        });
        joiner.detach();
        tiny_coro::spawn(async {}).await.unwrap();
    });
    let sleeper = runtime.block_on(async { timeout(WATCHDOG, waiting).await }).unwrap().unwrap();
    // The joiner has sent its message, and waits a moment later.
    let start = Instant::now();
    while runtime.metrics().parked_workers < 2 {
        assert!(start.elapsed() < WATCHDOG, "{}", runtime.metrics());
        thread::yield_now();
    }
    let mut report = runtime.shutdown(std::time::Instant::now());
    report.tasks.sort_by(|a, b| a.name.cmp(&b.name));
    let [joiner, asleep] = &report.tasks[..] else { panic!("{report}") };
    assert_eq!((joiner.name.as_deref(), &joiner.waited_on), (Some("joiner"), &Wait::Task(sleeper)));
    assert_eq!((asleep.name.as_deref(), asleep.id), (Some("sleeper"), sleeper));
    assert!(matches!(asleep.waited_on, Wait::Reactor(_)), "{report}");
    assert!(asleep.spawned_at.file().ends_with("together.rs"));
}
