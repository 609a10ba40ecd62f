#![cfg(not(tiny_coro_loom))]
//! Files as their users see them. Each test has a directory of its own.

use futures_lite::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, future};
use std::io::{self, ErrorKind, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tiny_coro_fs::{self as fs, CHUNK, File};
use tiny_coro_sched::Runtime;

/// Runs `test` with an empty directory, and fails if it takes longer than any machine should need.
fn run<F: Future<Output = io::Result<()>> + Send + 'static>(test: impl FnOnce(PathBuf) -> F) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("tiny-coro-fs-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&directory).unwrap();
    let test = test(directory.clone());
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Runtime::builder().worker_threads(1).build().unwrap();
        let result = runtime.block_on(runtime.spawn(test));
        done.send(
            result.map_err(|error| error.to_string()).and_then(|result| result.map_err(|error| error.to_string())),
        )
    });
    let result = ended.recv_timeout(Duration::from_secs(60)).expect("the test hangs");
    std::fs::remove_dir_all(directory).unwrap();
    result.unwrap();
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 253) as u8).collect()
}

#[test]
fn what_is_written_is_read_back() {
    run(async |directory: PathBuf| {
        let path = directory.join("data");
        let data = pattern(3 * CHUNK + 17);
        let mut file = File::create(&path).await?;
        file.write_all(&data).await?;
        file.flush().await?;
        assert_eq!(file.metadata().await?.len(), data.len() as u64);
        let mut back = Vec::new();
        File::open(&path).await?.read_to_end(&mut back).await?;
        assert!(back == data);
        assert!(fs::read(&path).await? == data);
        Ok(())
    });
}

#[test]
fn chunks_go_in_and_out_without_a_copy() {
    run(async |directory: PathBuf| {
        let path = directory.join("data");
        let data = bytes::Bytes::from(pattern(300_000));
        let mut file = File::create(&path).await?;
        file.write_chunk(data.slice(..100_000)).await?;
        file.write_chunk(data.slice(100_000..)).await?;
        let mut file = File::open(&path).await?;
        let mut back = Vec::new();
        loop {
            let chunk = file.read_chunk(CHUNK).await?;
            assert!(chunk.len() <= CHUNK);
            if chunk.is_empty() {
                break;
            }
            back.extend_from_slice(&chunk);
        }
        assert!(back == data);
        Ok(())
    });
}

/// F1, F2: reads, writes and seeks in any order act like those of `std::fs::File`, whatever was read ahead.
#[test]
fn mixed_operations_act_like_those_of_the_standard_library() {
    use std::io::{Read, Seek, Write};
    run(async |directory: PathBuf| {
        let paths = [directory.join("ours"), directory.join("theirs")];
        for path in &paths {
            fs::write(path, pattern(10_000)).await?;
        }
        let mut ours = File::options().read(true).write(true).open(&paths[0]).await?;
        let mut theirs = std::fs::File::options().read(true).write(true).open(&paths[1])?;
        let mut random = 12345u32;
        for step in 0..400 {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
            let amount = (random >> 16) as usize % 700;
            match random % 5 {
                0 | 1 => {
                    let (mut a, mut b) = (vec![0; amount], vec![0; amount]);
                    let count = ours.read(&mut a).await?;
                    let mut total = 0;
                    while total < count {
                        total += theirs.read(&mut b[total..count])?;
                    }
                    assert!(a[..count] == b[..count], "step {step}");
                }
                2 => {
                    let data = vec![step as u8; amount];
                    ours.write_all(&data).await?;
                    theirs.write_all(&data)?;
                }
                3 => {
                    let target = SeekFrom::Start(amount as u64 * 20);
                    assert_eq!(ours.seek(target).await?, theirs.seek(target)?, "step {step}");
                }
                _ => {
                    let offset = SeekFrom::Current(amount as i64 / 2);
                    assert_eq!(ours.seek(offset).await?, theirs.seek(offset)?, "step {step}");
                }
            }
        }
        ours.flush().await?;
        assert!(fs::read(&paths[0]).await? == fs::read(&paths[1]).await?);
        Ok(())
    });
}

/// A seek that was dropped half way does not answer for the next one.
#[test]
fn a_dropped_seek_does_not_answer_for_another() {
    run(async |directory: PathBuf| {
        let path = directory.join("data");
        fs::write(&path, pattern(100)).await?;
        let mut file = File::open(&path).await?;
        let first = async { Some(file.seek(SeekFrom::Start(10)).await) };
        assert!(future::or(first, async { None }).await.is_none_or(|result| result.is_ok()));
        assert_eq!(file.seek(SeekFrom::Start(20)).await?, 20);
        let mut byte = [0];
        file.read_exact(&mut byte).await?;
        assert_eq!(byte[0], pattern(21)[20]);
        Ok(())
    });
}

/// F3: a write that was accepted reaches the file, also if the runtime ends at once.
#[test]
fn an_accepted_write_survives_the_end_of_the_runtime() {
    run(async |directory: PathBuf| {
        let write = move || {
            for round in 0..100 {
                let path = directory.join(round.to_string());
                let runtime = Runtime::builder().worker_threads(1).build()?;
                runtime.block_on(async { File::create(&path).await?.write_all(b"hello").await })?;
                drop(runtime);
                assert_eq!(std::fs::read(&path)?, b"hello", "round {round}");
            }
            Ok(())
        };
        tiny_coro_sched::spawn_blocking(write).await?
    });
}

/// F2: a seek that fails leaves the position where it was, whatever was read ahead.
#[test]
fn a_failed_seek_moves_nothing() {
    run(async |directory: PathBuf| {
        let path = directory.join("data");
        fs::write(&path, pattern(100)).await?;
        let mut file = File::open(&path).await?;
        let mut byte = [0];
        file.read_exact(&mut byte).await?;
        assert!(file.seek(SeekFrom::Current(-50)).await.is_err());
        assert!(file.seek(SeekFrom::Current(i64::MIN)).await.is_err());
        let mut rest = Vec::new();
        file.read_to_end(&mut rest).await?;
        assert!(rest == pattern(100)[1..]);
        Ok(())
    });
}

/// F3: a failed write is reported by the next operation, once.
#[test]
fn a_failed_write_is_reported_once() {
    run(async |directory: PathBuf| {
        let path = directory.join("data");
        fs::write(&path, "text").await?;
        let mut file = File::open(&path).await?; // not open for writing
        assert_eq!(file.write(b"x").await?, 1);
        assert!(file.flush().await.is_err());
        file.flush().await?;
        let mut text = String::new();
        file.read_to_string(&mut text).await?;
        assert_eq!(text, "text");
        Ok(())
    });
}

#[test]
fn errors_are_those_of_the_operating_system() {
    run(async |directory: PathBuf| {
        assert_eq!(File::open(directory.join("none")).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(!fs::try_exists(directory.join("none")).await?);
        let mut file = File::create(directory.join("data")).await?;
        assert!(file.seek(SeekFrom::Current(-1)).await.is_err());
        let exists = File::options().write(true).create_new(true).open(directory.join("data")).await.unwrap_err();
        assert_eq!(exists.kind(), ErrorKind::AlreadyExists);
        Ok(())
    });
}

#[test]
fn directories_and_names() {
    run(async |directory: PathBuf| {
        let nested = directory.join("a/b");
        fs::create_dir_all(&nested).await?;
        fs::write(nested.join("one"), "1").await?;
        fs::rename(nested.join("one"), nested.join("two")).await?;
        assert_eq!(fs::read_dir(&nested).await?, [nested.join("two")]);
        assert_eq!(fs::read_to_string(nested.join("two")).await?, "1");
        fs::remove_file(nested.join("two")).await?;
        fs::remove_dir(&nested).await?;
        assert!(fs::metadata(&nested).await.is_err());
        Ok(())
    });
}

/// S12: in the ancestor file I/O blocked the worker. With one worker, another task runs while a hundred files are read.
#[test]
fn s12_file_operations_do_not_block_the_worker() {
    run(async |directory: PathBuf| {
        let path = directory.join("data");
        fs::write(&path, pattern(1 << 20)).await?;
        let ticker = tiny_coro_sched::spawn(async {
            let mut ticks = 0usize;
            loop {
                tiny_coro_sched::yield_now().await;
                ticks += 1;
                if ticks == 1000 {
                    return ticks;
                }
            }
        });
        for _ in 0..100 {
            assert_eq!(fs::read(&path).await?.len(), 1 << 20);
        }
        assert_eq!(ticker.await?, 1000);
        Ok(())
    });
}
