//! The arguments of one request, as slices of the receive buffer.

/// Where one argument lies in the buffer. Frames are shorter than 4 GiB, so that 8 bytes an argument are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) len: u32,
}

/// The arguments of one request; `args[0]` is the command's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    pub(super) fn new(bytes: &'a [u8], spans: &'a [Span]) -> Self {
        Args { bytes, spans }
    }

    pub(crate) fn len(self) -> usize {
        self.spans.len()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.spans.is_empty()
    }

    /// The argument at `index`, or `None` past the last.
    pub(crate) fn get(self, index: usize) -> Option<&'a [u8]> {
        let span = self.spans.get(index)?;
        let start = span.start as usize;
        Some(&self.bytes[start..start + span.len as usize])
    }

    /// The argument at `index`, which the command's arity says is there.
    ///
    /// # Panics
    ///
    /// Past the last argument.
    pub(crate) fn at(self, index: usize) -> &'a [u8] {
        self.get(index).expect("the arity was checked before the command ran")
    }

    /// The arguments from `index` on; none when there are fewer.
    pub(crate) fn from(self, index: usize) -> Self {
        Args { bytes: self.bytes, spans: self.spans.get(index..).unwrap_or(&[]) }
    }

    pub(crate) fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        self.spans.iter().map(move |span| &self.bytes[span.start as usize..][..span.len as usize])
    }

    /// The arguments two by two. An odd one at the end is left out: commands refuse it before they come here.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone {
        self.spans.as_chunks::<2>().0.iter().map(move |[a, b]| {
            (&self.bytes[a.start as usize..][..a.len as usize], &self.bytes[b.start as usize..][..b.len as usize])
        })
    }
}
