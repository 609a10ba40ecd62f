//! The attributes `#[tiny_coro::main]` and `#[tiny_coro::test]`.
//!
//! Both move an `async fn` into an ordinary function that hands it to `Runtime::block_on`:
//!
//! ```text
//! #[tiny_coro::main(worker_threads = 2)]        fn main() -> io::Result<()> {
//! async fn main() -> io::Result<()> {      ──▶      async fn __body() -> io::Result<()> { … }
//!     …                                             Builder::new_multi_thread().worker_threads(2)…block_on(__body())
//! }                                             }
//! ```
//!
//! Result and body are passed on as they are, so that errors in them point where they should. Nothing is parsed but what must be: the
//! options, the words before `fn`, and where the body is.

#![forbid(unsafe_code)]

mod function;
mod options;

use function::{Function, Kind};
use options::Options;
use proc_macro::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};

/// Runs an `async fn main` in a runtime.
///
/// | option | value | default |
/// |---|---|---|
/// | `flavor` | `"multi_thread"` or `"current_thread"` | `"multi_thread"` |
/// | `worker_threads` | a number, for `"multi_thread"` | as many as the machine runs at once |
/// | `start_paused` | `true`: the clock stands, for tests of time; for `"current_thread"` | `false` |
/// | `crate` | the path of the facade crate, if it has another name | `"tiny_coro"` |
///
/// # Panics
///
/// The function that comes out panics when the runtime can't be started.
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(options, item, Kind::Main).unwrap_or_else(Error::into_tokens)
}

/// Makes an `async fn` a test that runs in a runtime.
///
/// The options are those of [`macro@main`], but `flavor` is `"current_thread"` unless `worker_threads` is given.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(options, item, Kind::Test).unwrap_or_else(Error::into_tokens)
}

fn expand(options: TokenStream, item: TokenStream, kind: Kind) -> Result<TokenStream, Error> {
    let function = Function::parse(item, kind)?;
    let mut output: TokenStream = match kind {
        Kind::Main => TokenStream::new(),
        Kind::Test => tokens("#[::core::prelude::v1::test]"),
    };
    output.extend(function.head);
    let body = match Options::parse(options, kind) {
        Ok(options) => run(&options, function.result, function.body),
        // The function is there all the same: that it is missing would be a second error, about nothing.
        Err(error) => [error.into_tokens(), tokens("loop {}")].into_iter().collect(),
    };
    output.extend([TokenTree::Group(Group::new(Delimiter::Brace, body))]);
    Ok(output)
}

/// What the function does. The body becomes a function of its own, so that its errors, and those of its result, are where they belong.
fn run(options: &Options, result: TokenStream, body: Group) -> TokenStream {
    let (name, runtime) = (&options.krate, options.runtime());
    let mut output = tokens("async fn __body()");
    output.extend(result);
    output.extend([TokenTree::Group(body)]);
    output.extend(tokens(&format!(
        "let __runtime = match {runtime} {{ \
             ::core::result::Result::Ok(runtime) => runtime, \
             ::core::result::Result::Err(error) => ::core::panic!(\"cannot start the runtime: {{error}}\"), \
         }}; \
         {name}::Runtime::block_on(&__runtime, __body())"
    )));
    output
}

/// The tokens of a text of ours.
fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the text is this crate's own")
}

/// What is wrong, and where.
struct Error {
    span: Span,
    message: String,
}

impl Error {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }

    /// `::core::compile_error! { "message" }`, at the place.
    fn into_tokens(self) -> TokenStream {
        let punct = |character, spacing| TokenTree::Punct(Punct::new(character, spacing));
        let ident = |name| TokenTree::Ident(Ident::new(name, self.span));
        let message = proc_macro::Literal::string(&self.message);
        let group = Group::new(Delimiter::Brace, TokenTree::Literal(message).into());
        let all = [
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            ident("core"),
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            ident("compile_error"),
            punct('!', Spacing::Alone),
            TokenTree::Group(group),
        ];
        all.into_iter()
            .map(|mut token| {
                token.set_span(self.span);
                token
            })
            .collect()
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
