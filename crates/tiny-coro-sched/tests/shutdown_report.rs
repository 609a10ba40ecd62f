#![cfg(not(tiny_coro_loom))]
//! `Runtime::shutdown`: what ends by itself may, what does not is listed.

use std::future::pending;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tiny_coro_sched::{Builder, Runtime, Wait, block_in_place, sleep, spawn, spawn_blocking, task, yield_now};

mod common;
use common::{runtime, watched};

/// Far enough away that the machine gets there.
fn soon() -> Instant {
    Instant::now() + Duration::from_millis(50)
}

fn runtimes() -> [Runtime; 2] {
    [runtime(2), Builder::new_current_thread().build().unwrap()]
}

/// Tasks and closures that end before the deadline do so, and then it does not wait for the deadline.
#[test]
fn what_ends_by_itself_may() {
    watched(|| {
        for runtime in runtimes() {
            let (sender, receiver) = mpsc::channel();
            let late = sender.clone();
            runtime
                .spawn(async move {
                    sleep(Duration::from_millis(5)).await;
                    spawn_blocking(move || sender.send(1).unwrap()).await.unwrap();
                    late.send(2).unwrap();
                })
                .detach();
            let report = runtime.shutdown(Instant::now() + Duration::from_secs(100));
            assert!(report.is_clean(), "{report}");
            assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2]);
        }
    });
}

/// What does not end is listed, with its name, where it was spawned, and what it waited for.
#[test]
fn what_is_left_is_listed() {
    watched(|| {
        for runtime in runtimes() {
            let (sleeper, joiner) = runtime.block_on(async {
                let sleeper = task::Builder::new().name("sleeper").spawn(sleep(Duration::from_secs(3600)));
                let id = sleeper.id();
                let joiner = spawn(async move {
                    sleeper.await.unwrap();
                });
                yield_now().await;
                sleep(Duration::from_millis(1)).await;
                (id, joiner.id())
            });
            let report = runtime.shutdown(soon());
            assert_eq!(report.tasks.len(), 2, "{report}");
            let find = |id| report.tasks.iter().find(|task| task.id == id).unwrap();
            assert_eq!(find(sleeper).name.as_deref(), Some("sleeper"));
            assert!(matches!(find(sleeper).waited_on, Wait::Reactor(_)), "{report}");
            assert!(find(sleeper).spawned_at.file().ends_with("shutdown_report.rs"));
            assert_eq!(find(joiner).waited_on, Wait::Task(sleeper), "{report}");
            assert!(report.to_string().contains("\"sleeper\""), "{report}");
        }
    });
}

/// A poll that does not end is listed as running, and does not hold up the end.
#[test]
fn a_poll_that_does_not_end_is_listed() {
    watched(|| {
        let runtime = runtime(2);
        let (release, wait) = mpsc::channel::<()>();
        let (started, wait_started) = mpsc::channel();
        let stuck = async move {
            started.send(()).unwrap();
            let _ = wait.recv();
        };
        let stuck = task::Builder::new().name("stuck").spawn_on(stuck, runtime.handle());
        wait_started.recv().unwrap();
        let report = runtime.shutdown(soon());
        drop(release);
        let running: Vec<_> = report.tasks.iter().filter(|task| task.waited_on == Wait::Running).collect();
        assert!(running.iter().any(|task| task.id == stuck.id() && task.name.as_deref() == Some("stuck")), "{report}");
    });
}

/// A task that blocks in place at the deadline is listed by name, whether or not another thread has its worker by then.
#[test]
fn what_blocks_in_place_is_listed() {
    watched(|| {
        for workers in [1, 2] {
            let runtime = runtime(workers);
            let (release, wait) = mpsc::channel::<()>();
            let (started, wait_started) = mpsc::channel();
            let blocks = async move {
                block_in_place(|| {
                    started.send(()).unwrap();
                    let _ = wait.recv();
                });
            };
            let stuck = task::Builder::new().name("stuck").spawn_on(blocks, runtime.handle());
            wait_started.recv().unwrap();
            let other = runtime.spawn(pending::<()>());
            let report = runtime.shutdown(soon());
            drop(release);
            let find = |id| report.tasks.iter().filter(|task| task.id == id).collect::<Vec<_>>();
            let [task] = find(stuck.id())[..] else { panic!("{report}") };
            assert_eq!((task.name.as_deref(), &task.waited_on), (Some("stuck"), &Wait::Running), "{report}");
            assert_eq!(find(other.id()).len(), 1, "{report}");
        }
    });
}
