#![cfg(not(tiny_coro_loom))]
//! The builder's options, one by one.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;
use tiny_coro_sched::{Builder, PanicPolicy, Runtime, sleep, spawn_blocking, task, timeout};

mod common;
use common::{runtime, watched};

/// A wrong value gives an error that names the option.
#[test]
fn wrong_values_name_the_option() {
    type Set = fn(&mut Builder) -> &mut Builder;
    let wrong: [(&str, Set); 11] = [
        ("start_paused", |builder| builder.start_paused(true)),
        ("worker_threads", |builder| builder.worker_threads(0)),
        ("worker_threads", |builder| builder.worker_threads(1_000_000)),
        ("timer_slack", |builder| builder.timer_slack(Duration::MAX)),
        ("parallelism", |builder| builder.parallelism(0)),
        ("thread_name", |builder| builder.thread_name("a\0b")),
        ("max_blocking_threads", |builder| builder.max_blocking_threads(0)),
        ("global_queue_interval", |builder| builder.global_queue_interval(0)),
        ("event_interval", |builder| builder.event_interval(0)),
        ("cpu_affinity", |builder| builder.cpu_affinity([usize::MAX])),
        ("worker_threads", |builder| {
            *builder = Builder::new_current_thread();
            builder.worker_threads(2)
        }),
    ];
    for (name, set) in wrong {
        let mut builder = Runtime::builder();
        let error = set(&mut builder).build().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().starts_with(name), "{error}");
    }
}

#[test]
fn the_timer_slack_is_the_reactors() {
    let slack = |builder: &mut Builder| {
        let slack = async { tiny_coro_reactor::Reactor::current().unwrap().timer_slack() };
        builder.worker_threads(1).build().unwrap().block_on(slack)
    };
    assert_eq!(slack(&mut Runtime::builder()), tiny_coro_reactor::DEFAULT_TIMER_SLACK);
    assert_eq!(slack(Runtime::builder().timer_slack(Duration::ZERO)), Duration::ZERO);
}

/// Each thread calls the hooks once: the workers, and a thread for blocking closures.
#[test]
fn every_thread_calls_the_hooks() {
    watched(|| {
        let (started, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (on_start, on_stop) = (started.clone(), stopped.clone());
        let runtime = Runtime::builder()
            .worker_threads(3)
            .on_thread_start(move || {
                on_start.fetch_add(1, Ordering::SeqCst);
            })
            .on_thread_stop(move || {
                on_stop.fetch_add(1, Ordering::SeqCst);
                panic!("a panic in a hook ends there");
            })
            .build()
            .unwrap();
        runtime.block_on(async { spawn_blocking(|| ()).await.unwrap() });
        drop(runtime);
        assert_eq!((started.load(Ordering::SeqCst), stopped.load(Ordering::SeqCst)), (4, 4));
    });
}

/// Workers that are kept on processors work, and threads have their names.
#[test]
fn affinity_and_names() {
    watched(|| {
        let allowed = core_affinity::get_core_ids().unwrap_or_default();
        let runtime = Runtime::builder()
            .worker_threads(2)
            .thread_name("named")
            .thread_stack_size(256 * 1024)
            .cpu_affinity(allowed.first().map(|core| core.id))
            .build()
            .unwrap();
        let name = || thread::current().name().map(str::to_owned).unwrap();
        let worker = runtime.block_on(runtime.spawn(async move { name() })).unwrap();
        assert!(worker == "named-0" || worker == "named-1", "{worker}");
        assert_eq!(runtime.block_on(runtime.spawn_blocking(name)).unwrap(), "named-blocking");
    });
}

/// The callback hears of each panic, in tasks and in closures, with name and message; its own panics do no harm.
#[test]
fn the_panic_callback_hears_everything() {
    watched(|| {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hear = heard.clone();
        let policy = PanicPolicy::call(move |panicked| {
            let line = (panicked.name.map(str::to_owned), panicked.message().map(str::to_owned));
            hear.lock().unwrap().push(line);
            panic!("in the callback");
        });
        let runtime = Runtime::builder().worker_threads(2).panic_policy(policy).build().unwrap();
        runtime.block_on(async {
            let named = task::Builder::new().name("baker").spawn(async { panic!("burnt {}", 3) });
            assert!(named.await.unwrap_err().is_panic());
            assert!(spawn_blocking(|| panic!("closure")).await.unwrap_err().is_panic());
        });
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(*heard.lock().unwrap(), [(text("baker"), text("burnt 3")), (None, text("closure"))]);
    });
}

/// The policy that shuts down cancels the other tasks, and the main future goes on.
#[test]
fn a_panic_can_shut_the_runtime_down() {
    watched(|| {
        for mut builder in [Runtime::builder(), Builder::new_current_thread()] {
            let runtime = builder.panic_policy(PanicPolicy::ShutDown).build().unwrap();
            let (sender, receiver) = mpsc::channel::<()>();
            let other = runtime.spawn(async move {
                let _sender = sender;
                sleep(Duration::from_secs(3600)).await;
            });
            let panicking = runtime.spawn(async { panic!("for all") });
            runtime.block_on(async {
                assert!(panicking.await.unwrap_err().is_panic());
                assert!(other.await.unwrap_err().is_cancelled());
            });
            assert!(receiver.recv().is_err());
        }
    });
}

/// The ambient functions say what to do where there is no runtime.
#[test]
fn outside_a_runtime_the_message_says_what_to_do() {
    let panicked = |body: fn()| {
        let payload = thread::spawn(body).join().unwrap_err();
        payload.downcast_ref::<String>().expect("a message with text").clone()
    };
    drop(runtime(1)); // no thread of its own is left in a runtime by this
    let bodies: [fn(); 4] = [
        || drop(tiny_coro_sched::spawn(async {})),
        || drop(spawn_blocking(|| ())),
        || drop(sleep(Duration::ZERO)),
        || drop(timeout(Duration::ZERO, async {})),
    ];
    for body in bodies {
        let message = panicked(body);
        assert!(message.contains("block_on") || message.contains("enter"), "{message}");
    }
}
