//! What waits to be written.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::transport::Transport;

/// A body up to this size is copied behind its head: cheaper than one more entry in the vector of a write.
const COPY_LIMIT: usize = 4 * 1024;
/// How many slices one write has at most.
const SLICES: usize = 32;
/// Capacity above this is given back once all is written.
const KEPT_CAPACITY: usize = 32 * 1024;

/// Gathers what is to be written: heads and small bodies in one buffer, large pieces by reference between them.
///
/// | ID | always true | kept by |
/// |---|---|---|
/// | O1 | `written <= inline.len()`; the bytes before it are gone | `consume` |
/// | O2 | `pending` = unwritten inline bytes + unwritten bytes of all parts | `inline`, `push`, `consume` |
/// | O3 | a part stands behind the first `after` bytes of `inline` | `push`, `consume` |
#[derive(Debug, Default)]
pub(crate) struct Output {
    inline: Vec<u8>,
    written: usize,
    parts: VecDeque<Part>,
    shared: usize,
}

#[derive(Debug)]
struct Part {
    after: usize,
    bytes: Bytes,
}

impl Output {
    /// How many bytes wait.
    #[inline]
    pub(crate) fn pending(&self) -> usize {
        self.inline.len() - self.written + self.shared
    }

    /// The buffer to append to.
    #[inline]
    pub(crate) fn inline(&mut self) -> &mut Vec<u8> {
        &mut self.inline
    }

    /// Appends a piece of a body.
    #[inline]
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if bytes.len() <= COPY_LIMIT {
            self.inline.extend_from_slice(&bytes);
        } else {
            self.shared += bytes.len();
            self.parts.push_back(Part { after: self.inline.len(), bytes });
        }
    }

    /// Writes until all is written or the transport takes no more. Returns how many bytes went out with the result.
    pub(crate) fn poll_flush<T: Transport>(
        &mut self,
        io: &mut T,
        cx: &mut Context<'_>,
        progress: &mut bool,
    ) -> Poll<io::Result<()>> {
        while self.pending() > 0 {
            let written = match self.poll_write(io, cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            };
            *progress = true;
            self.consume(written);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write<T: Transport>(&mut self, io: &mut T, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.parts.is_empty() {
            return io.poll_write_vectored(cx, &[IoSlice::new(&self.inline[self.written..])]);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        let mut from = self.written;
        let mut complete = true;
        for part in &self.parts {
            if count + 2 > SLICES {
                complete = false;
                break;
            }
            if part.after > from {
                slices[count] = IoSlice::new(&self.inline[from..part.after]);
                from = part.after;
                count += 1;
            }
            slices[count] = IoSlice::new(&part.bytes);
            count += 1;
        }
        if complete && count < SLICES && from < self.inline.len() {
            slices[count] = IoSlice::new(&self.inline[from..]);
            count += 1;
        }
        io.poll_write_vectored(cx, &slices[..count])
    }

    fn consume(&mut self, mut count: usize) {
        while let Some(part) = self.parts.front_mut() {
            let before = part.after - self.written;
            if count <= before {
                break;
            }
            count -= before;
            self.written = part.after;
            if count < part.bytes.len() {
                self.shared -= count;
                let _ = part.bytes.split_to(count);
                return;
            }
            count -= part.bytes.len();
            self.shared -= part.bytes.len();
            self.parts.pop_front();
        }
        self.written += count;
        if self.pending() == 0 {
            self.reset();
        } else if self.written >= KEPT_CAPACITY {
            // A peer that always leaves a little must not make the buffer grow for ever.
            self.inline.drain(..self.written);
            for part in &mut self.parts {
                part.after -= self.written;
            }
            self.written = 0;
        }
    }

    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        self.parts.clear();
        self.shared = 0;
        self.written = 0;
        self.inline.clear();
        if self.inline.capacity() > KEPT_CAPACITY {
            self.inline = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Takes at most `step` bytes a write.
    struct Sink(Vec<u8>, usize);

    impl Sink {
        fn take(&mut self, output: &mut Output) {
            struct Io<'a>(&'a mut Sink);
            impl Transport for Io<'_> {
                fn poll_read_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                    Poll::Pending
                }
                fn poll_read_buf(&mut self, _: &mut Context<'_>, _: &mut bytes::BytesMut) -> Poll<io::Result<usize>> {
                    Poll::Pending
                }
                fn poll_write_vectored(
                    &mut self,
                    _: &mut Context<'_>,
                    slices: &[IoSlice<'_>],
                ) -> Poll<io::Result<usize>> {
                    let mut left = self.0.1;
                    for slice in slices {
                        let count = slice.len().min(left);
                        self.0.0.extend_from_slice(&slice[..count]);
                        left -= count;
                    }
                    Poll::Ready(Ok(self.0.1 - left))
                }
                fn shutdown_write(&mut self) -> io::Result<()> {
                    Ok(())
                }
                fn abort(&mut self) {}
                fn now(&self) -> Instant {
                    Instant::now()
                }
                fn poll_deadline(&mut self, _: &mut Context<'_>, _: Instant, _: Instant) -> Poll<()> {
                    Poll::Pending
                }
            }
            let mut cx = Context::from_waker(std::task::Waker::noop());
            assert!(output.poll_flush(&mut Io(self), &mut cx, &mut false).is_ready());
        }
    }

    /// O1 to O3: whatever the mix of copied and shared pieces and the size of a write, the bytes come out in order.
    #[test]
    fn mixed_pieces_come_out_in_order() {
        for step in [13, 4_096, 5_000, 100_000] {
            let mut output = Output::default();
            let mut sink = Sink(Vec::new(), step);
            let mut expected = Vec::new();
            for (index, size) in [3, 5_000, 0, 5_001, 9_000, 1, 4_096, 4_097].into_iter().cycle().take(40).enumerate() {
                let piece = vec![index as u8; size];
                expected.extend_from_slice(&piece);
                output.push(piece.into());
                assert_eq!(output.pending(), expected.len() - sink.0.len());
                if index % 17 == 16 {
                    sink.take(&mut output);
                }
            }
            sink.take(&mut output);
            assert!(sink.0 == expected && output.pending() == 0, "step {step}");
        }
    }
}
