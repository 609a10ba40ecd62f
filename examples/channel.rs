//! Communicating tasks: four producers share the sending half of a channel, three consumers the receiving half. Each
//! number comes out once, and a full channel holds the producers back.
//!
//! ```text
//! cargo run --release --example channel
//! ```

use std::process::ExitCode;

use tiny_coro::sync::channel;
use tiny_coro_examples::{cli, run};

const USAGE: &str = "
Sends 400,000 numbers from four tasks to three through one channel.

Usage: channel [--help]";

const PRODUCERS: u64 = 4;
const EACH: u64 = 100_000;

fn main() -> ExitCode {
    cli::no_arguments(USAGE);
    run(None, async {
        let (sender, receiver) = channel::bounded(64);
        for producer in 0..PRODUCERS {
            let sender = sender.clone();
            tiny_coro::spawn(async move {
                for number in 0..EACH {
                    // Fails when no receiver is left; then there is nobody to work for.
                    if sender.send(producer * EACH + number).await.is_err() {
                        return;
                    }
                }
            })
            .detach();
        }
        // The channel closes with its last sender: this one must not stay.
        drop(sender);

        let consumers: Vec<_> = (0..3)
            .map(|_| {
                let receiver = receiver.clone();
                tiny_coro::spawn(async move {
                    let (mut count, mut sum) = (0_u64, 0_u64);
                    while let Ok(number) = receiver.recv().await {
                        count += 1;
                        sum += number;
                    }
                    (count, sum)
                })
            })
            .collect();

        let mut total = 0;
        for (index, consumer) in consumers.into_iter().enumerate() {
            let (count, sum) = consumer.await?;
            println!("consumer {index} got {count} numbers");
            total += sum;
        }
        let numbers = PRODUCERS * EACH;
        println!("their sum is {total}, expected {}", numbers * (numbers - 1) / 2);
        Ok(())
    })
}
