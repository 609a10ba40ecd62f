//! The channels.

use super::{Channels, Message};

/// Implements the trait for channels whose halves have async `send` and `recv` methods.
macro_rules! channels {
    ($(#[$doc:meta])* $name:ident, $sender:ty, $receiver:ty, $bounded:expr, $option:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Channels for $name {
            type Sender = $sender;
            type Receiver = $receiver;

            fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver) {
                $bounded(capacity)
            }

            async fn send(sender: &Self::Sender, message: Message) {
                assert!(sender.send(message).await.is_ok(), "the receiver is there");
            }

            async fn receive(receiver: &mut Self::Receiver) -> Option<Message> {
                $option(receiver.recv().await)
            }
        }
    };
}

channels!(
    /// tiny-coro-sync.
    OurChannel,
    tiny_coro::sync::channel::Sender<Message>,
    tiny_coro::sync::channel::Receiver<Message>,
    tiny_coro::sync::channel::bounded,
    Result::ok
);

channels!(
    /// `tokio::sync::mpsc`.
    TokioMpsc,
    tokio::sync::mpsc::Sender<Message>,
    tokio::sync::mpsc::Receiver<Message>,
    tokio::sync::mpsc::channel,
    Option::from
);

channels!(
    /// async-channel, of the smol family.
    AsyncChannel,
    async_channel::Sender<Message>,
    async_channel::Receiver<Message>,
    async_channel::bounded,
    Result::ok
);

channels!(
    /// kanal.
    Kanal,
    kanal::AsyncSender<Message>,
    kanal::AsyncReceiver<Message>,
    kanal::bounded_async,
    Result::ok
);

/// flume.
#[derive(Debug)]
pub struct Flume;

impl Channels for Flume {
    type Sender = flume::Sender<Message>;
    type Receiver = flume::Receiver<Message>;

    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver) {
        flume::bounded(capacity)
    }

    async fn send(sender: &Self::Sender, message: Message) {
        assert!(sender.send_async(message).await.is_ok(), "the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<Message> {
        receiver.recv_async().await.ok()
    }
}
