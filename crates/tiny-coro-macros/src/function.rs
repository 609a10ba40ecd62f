//! The function that an attribute stands on.

use crate::Error;
use proc_macro::{Delimiter, Group, Span, TokenStream, TokenTree};

/// Which attribute it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Main,
    Test,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Test => "test",
        }
    }
}

/// A function without its `async`.
pub(crate) struct Function {
    /// Everything up to the body.
    pub(crate) head: TokenStream,
    /// From the arrow to the body, if there is an arrow.
    pub(crate) result: TokenStream,
    pub(crate) body: Group,
}

impl Function {
    pub(crate) fn parse(item: TokenStream, kind: Kind) -> Result<Self, Error> {
        let mut tokens: Vec<_> = item.into_iter().collect();
        let is_word =
            |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(ident) if ident.to_string() == word);
        let Some(function) = tokens.iter().position(|token| is_word(token, "fn")) else {
            let span = tokens.first().map_or_else(Span::call_site, TokenTree::span);
            return Err(Error::new(
                span,
                format!("#[{}] goes on an `async fn`, and this is not a function", kind.name()),
            ));
        };
        let Some(keyword) = tokens[..function].iter().position(|token| is_word(token, "async")) else {
            let message = format!("#[{}] goes on an `async fn`: write `async` before this `fn`", kind.name());
            return Err(Error::new(tokens[function].span(), message));
        };
        let is_arguments =
            |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
        let arguments = function + tokens[function..].iter().position(is_arguments).unwrap_or_default();
        if let TokenTree::Group(group) = &tokens[arguments]
            && !group.stream().is_empty()
        {
            let message = format!("a function with #[{}] takes no arguments: nobody would give it any", kind.name());
            return Err(Error::new(group.span(), message));
        }
        let last = tokens.pop();
        let Some(body) = last.clone().and_then(braced) else {
            let span = last.map_or_else(Span::call_site, |token| token.span());
            return Err(Error::new(span, "this function has no body"));
        };
        let result = tokens[arguments + 1..].iter().cloned().collect();
        tokens.remove(keyword);
        Ok(Self { head: tokens.into_iter().collect(), result, body })
    }
}

/// The group in braces that the token is; a macro that passes a body on wraps it once more, invisibly.
fn braced(token: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => {
            let mut inner = group.stream().into_iter();
            inner.next().filter(|_| inner.next().is_none()).and_then(braced)
        }
        _ => None,
    }
}
