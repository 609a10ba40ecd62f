//! The options in an attribute's parentheses.

use crate::Error;
use crate::function::Kind;
use proc_macro::{Span, TokenStream, TokenTree};

/// What was asked for, checked.
pub(crate) struct Options {
    is_current_thread: bool,
    worker_threads: Option<usize>,
    start_paused: bool,
    /// The path of the facade crate.
    pub(crate) krate: String,
}

const NAMES: &str = "`flavor`, `worker_threads`, `start_paused` and `crate`";

impl Options {
    pub(crate) fn parse(options: TokenStream, kind: Kind) -> Result<Self, Error> {
        let mut parsed = Parsed::default();
        let mut tokens = options.into_iter();
        while let Some(name) = tokens.next() {
            let TokenTree::Ident(ident) = &name else {
                return Err(Error::new(name.span(), format!("expected the name of an option: {NAMES}")));
            };
            let ident = ident.to_string();
            match tokens.next() {
                Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {}
                other => {
                    let span = other.map_or(name.span(), |token| token.span());
                    return Err(Error::new(span, format!("expected `{ident} = value`")));
                }
            }
            let Some(value) = tokens.next() else {
                return Err(Error::new(name.span(), format!("`{ident}` has no value")));
            };
            parsed.set(&ident, name.span(), &value)?;
            match tokens.next() {
                None => break,
                Some(TokenTree::Punct(punct)) if punct.as_char() == ',' => {}
                Some(other) => return Err(Error::new(other.span(), "expected a comma between two options")),
            }
        }
        parsed.check(kind)
    }

    /// The expression that builds the runtime.
    pub(crate) fn runtime(&self) -> String {
        let name = &self.krate;
        if !self.is_current_thread {
            let workers = self.worker_threads.map_or_else(String::new, |count| format!(".worker_threads({count})"));
            return format!("{name}::Builder::new_multi_thread(){workers}.build()");
        }
        let paused = if self.start_paused { ".start_paused(true)" } else { "" };
        format!("{name}::Builder::new_current_thread(){paused}.build()")
    }
}

/// The options as they stand there, each with its place.
#[derive(Default)]
struct Parsed {
    flavor: Option<(bool, Span)>,
    worker_threads: Option<(usize, Span)>,
    start_paused: Option<(bool, Span)>,
    krate: Option<(String, Span)>,
}

impl Parsed {
    fn set(&mut self, name: &str, place: Span, value: &TokenTree) -> Result<(), Error> {
        let (text, span) = (value.to_string(), value.span());
        let twice = match name {
            "flavor" => {
                let is_current = match text.as_str() {
                    "\"current_thread\"" => true,
                    "\"multi_thread\"" => false,
                    _ => {
                        return Err(Error::new(span, "`flavor` is \"multi_thread\" or \"current_thread\", in quotes"));
                    }
                };
                self.flavor.replace((is_current, span)).is_some()
            }
            "worker_threads" => {
                let count: usize = text.replace('_', "").parse().ok().filter(|&count| count > 0).ok_or_else(|| {
                    Error::new(span, "`worker_threads` is a plain number, at least 1, without quotes")
                })?;
                self.worker_threads.replace((count, span)).is_some()
            }
            "start_paused" => {
                let paused = text.parse().map_err(|_| Error::new(span, "`start_paused` is `true` or `false`"))?;
                self.start_paused.replace((paused, span)).is_some()
            }
            "crate" => {
                let path = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                let is_path =
                    |path: &&str| !path.is_empty() && path.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
                let path = path.filter(is_path).ok_or_else(|| Error::new(span, "`crate` is a path, in quotes"))?;
                self.krate.replace((path.to_owned(), span)).is_some()
            }
            other => return Err(Error::new(place, format!("there is no option `{other}`: there are {NAMES}"))),
        };
        if twice {
            return Err(Error::new(place, format!("`{name}` stands here twice")));
        }
        Ok(())
    }

    fn check(self, kind: Kind) -> Result<Options, Error> {
        let default = kind == Kind::Test && self.worker_threads.is_none();
        let is_current_thread = self.flavor.map_or(default, |(is_current, _)| is_current);
        if let (true, Some((_, span))) = (is_current_thread, self.worker_threads) {
            return Err(Error::new(
                span,
                "a \"current_thread\" runtime has no worker threads: leave `worker_threads` out",
            ));
        }
        if let (false, Some((true, span))) = (is_current_thread, self.start_paused) {
            let message = "`start_paused` needs `flavor = \"current_thread\"`: with several threads a test of time is not repeatable";
            return Err(Error::new(span, message));
        }
        Ok(Options {
            is_current_thread,
            worker_threads: self.worker_threads.map(|(count, _)| count),
            start_paused: self.start_paused.is_some_and(|(paused, _)| paused),
            krate: self.krate.map_or_else(|| "::tiny_coro".to_owned(), |(path, _)| path),
        })
    }
}
