//! Finds what can be weakened: every ordering and every fence in a source file that is no test.
//!
//! Comments and strings are blanked first, offset by offset, so that a word found is code. From there an ordering is
//! followed back to the call that it is an argument of.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::source::{File, Kind};

use super::weaken::{self, Access};

/// Begins the line of a comment that says why no model sees a weakening.
const REASON: &str = "UNMODELLED:";

/// One weakening of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutation {
    /// From the top folder of the workspace.
    pub(super) path: PathBuf,
    pub(super) line: usize,
    /// What it does, such as `swap AcqRel → Acquire`.
    pub(super) what: String,
    /// The bytes of the file that it replaces.
    pub(super) span: Range<usize>,
    pub(super) replacement: String,
    /// Why it may survive, in the words of the source.
    pub(super) reason: Option<String>,
}

/// Every weakening of `file`, whose text is `text` and whose path from the top folder is `path`, in order.
pub(super) fn mutations(file: &File, text: &str, path: &Path) -> Vec<Mutation> {
    let code = blank(text);
    let starts: Vec<usize> = std::iter::once(0).chain(code.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line_of = |at: usize| starts.partition_point(|start| *start <= at) - 1;
    let imports = imports(&code);
    let mut found = Vec::new();
    for word in words(&code) {
        let line = line_of(word.start);
        if file.lines[line].test || imports.iter().any(|import| import.contains(&word.start)) {
            continue;
        }
        let name = &code[word.clone()];
        let make = |anchor: usize, what: String, span: Range<usize>, replacement: &str| Mutation {
            path: path.to_owned(),
            line: line + 1,
            what,
            span,
            replacement: replacement.to_owned(),
            reason: reason(file, line_of(anchor)),
        };
        if weaken::is_ordering(name) && is_the_ordering(&code, &word, &imports) {
            let call = enclosing_call(&code, word.start);
            let access = call.as_ref().map_or(Access::Unknown, |call| Access::of(call.name, call.argument));
            let shown = call.as_ref().map_or("", |call| call.name);
            let anchor = call.as_ref().map_or(word.start, |call| call.at);
            for weaker in weaken::weaker(access, name) {
                found.push(make(anchor, format!("{shown}{} {name} → {weaker}", access.suffix()), word.clone(), weaker));
            }
        } else if let Some(span) = fence_statement(&code, &word) {
            found.push(make(span.start, format!("{name} deleted"), span, "()"));
        }
    }
    found
}

/// `text` with spaces in the place of comments, strings and characters. As long as `text`, and with the same lines.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'/', b'/', ..] => text[at..].find('\n').map_or(bytes.len(), |length| at + length),
            [b'/', b'*', ..] => text[at..].find("*/").map_or(bytes.len(), |length| at + length + 2),
            [b'"', ..] => string_end(bytes, at),
            [b'r', b'"' | b'#', ..] if at == 0 || !is_word(bytes[at - 1]) => raw_end(text, at),
            [b'\'', b'\\', _, rest @ ..] => {
                rest.iter().position(|byte| *byte == b'\'').map_or(bytes.len(), |length| at + 4 + length)
            }
            [b'\'', _, b'\'', ..] => at + 3,
            _ => at,
        };
        code[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end.max(at + 1);
    }
    // Only a multi-byte character outside of comments and strings could be torn, and none is.
    String::from_utf8_lossy(&code).into_owned()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// The end of the raw string that begins at `start`; `start` itself if none does (`r#type` is a name).
fn raw_end(text: &str, start: usize) -> usize {
    let hashes = text[start + 1..].bytes().take_while(|byte| *byte == b'#').count();
    let inside = start + 1 + hashes + 1;
    if text.as_bytes().get(inside - 1) != Some(&b'"') {
        return start;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    text[inside..].find(&close).map_or(text.len(), |length| inside + length + close.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Every identifier and number, as ranges.
fn words(code: &str) -> Vec<Range<usize>> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
        if length > 0 {
            found.push(at..at + length);
        }
        at += length.max(1);
    }
    found
}

/// The `use` declarations.
fn imports(code: &str) -> Vec<Range<usize>> {
    let begins = words(code).into_iter().filter(|word| &code[word.clone()] == "use");
    begins.map(|word| word.start..code[word.start..].find(';').map_or(code.len(), |end| word.start + end)).collect()
}

/// Whether the word is a memory ordering: `Ordering::Acquire`, or `Acquire` in a file that imports it.
fn is_the_ordering(code: &str, word: &Range<usize>, imports: &[Range<usize>]) -> bool {
    match code[..word.start].strip_suffix("::") {
        Some(path) => path.ends_with("Ordering"),
        None => imports.iter().any(|import| {
            let import = &code[import.clone()];
            import.contains("Ordering") && words(import).into_iter().any(|name| import[name] == code[word.clone()])
        }),
    }
}

/// A call, seen from one of its arguments.
struct Call<'a> {
    name: &'a str,
    /// Which argument it is, counted from 0.
    argument: usize,
    /// Where its name begins.
    at: usize,
}

/// The innermost call that has `at` among its arguments.
fn enclosing_call(code: &str, at: usize) -> Option<Call<'_>> {
    let bytes = code.as_bytes();
    let (mut depth, mut argument) = (0_usize, 0);
    for open in (0..at).rev() {
        match bytes[open] {
            b')' | b']' | b'}' => depth += 1,
            b'[' | b'{' if depth == 0 => return None,
            b';' if depth == 0 => return None,
            b',' if depth == 0 => argument += 1,
            b'(' if depth == 0 => {
                let end = before_turbofish(code, open);
                let length = bytes[..end].iter().rev().take_while(|byte| is_word(**byte)).count();
                return (length > 0).then(|| Call { name: &code[end - length..end], argument, at: end - length });
            }
            b'(' | b'[' | b'{' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The end of the name in `name::<T>(`, whose parenthesis is at `open`.
fn before_turbofish(code: &str, open: usize) -> usize {
    match code[..open].ends_with('>') {
        true => code[..open].rfind("::<").unwrap_or(open),
        false => open,
    }
}

/// The span of the statement that the word makes, if it is a fence: a call named `fence`, `…_fence` or `…_barrier`, with nothing
/// or an ordering in its parentheses.
fn fence_statement(code: &str, word: &Range<usize>) -> Option<Range<usize>> {
    let name = &code[word.clone()];
    if !(name == "fence" || name.ends_with("_fence") || name.ends_with("barrier")) {
        return None;
    }
    let inside = code[word.end..].strip_prefix('(')?;
    let length = inside.find(')')?;
    let argument = inside[..length].trim();
    let ordering = argument.rsplit("::").next().unwrap_or_default();
    if !(argument.is_empty() || weaken::is_ordering(ordering)) {
        return None;
    }
    let is_path = |byte: &u8| is_word(*byte) || b":<>.".contains(byte);
    let start = word.start - code.as_bytes()[..word.start].iter().rev().take_while(|byte| is_path(byte)).count();
    let end = word.end + 1 + length + 1;
    let before = code[..start].trim_end().bytes().next_back();
    let after = code[end..].trim_start().bytes().next();
    let alone = matches!(before, None | Some(b';' | b'{' | b'}' | b']')) && matches!(after, Some(b';' | b'}'));
    alone.then_some(start..end)
}

/// The reason in the comments of the statement that has its call on line `at`, counted from 0.
fn reason(file: &File, at: usize) -> Option<String> {
    let mut line = at;
    if let Some(found) = file.lines[line].text.split_once(REASON).filter(|(before, _)| before.contains("//")) {
        return Some(found.1.trim().to_owned());
    }
    loop {
        let comments = file.lines[..line].iter().rev().take_while(|line| line.kind == Kind::Comment).count();
        let block = file.lines[line - comments..line].iter();
        let block = block.map(|line| line.text.trim().trim_start_matches('/').trim());
        let block: Vec<&str> = block.skip_while(|text| !text.starts_with(REASON)).collect();
        if let Some((first, rest)) = block.split_first() {
            let more = rest.iter().take_while(|text| !text.starts_with("ORDERING") && !text.starts_with("SAFETY"));
            let parts = std::iter::once(first.strip_prefix(REASON).unwrap_or(first).trim()).chain(more.copied());
            return Some(parts.collect::<Vec<_>>().join(" "));
        }
        let above = line.checked_sub(comments + 1)?;
        let (here, before) = (file.lines[line].text.trim_start(), file.lines[above].text.trim_end());
        let goes_on = here.starts_with(['.', '?', '&', '|', '=']) || before.ends_with(['=', '(', '&', '|', '>']);
        if file.lines[above].kind != Kind::Code || !goes_on {
            return None;
        }
        line = above;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn found(text: &str) -> Vec<(usize, String, Option<String>)> {
        let file = source::parse(PathBuf::from("a.rs"), text);
        let mutations = mutations(&file, text, Path::new("a.rs"));
        mutations.into_iter().map(|mutation| (mutation.line, mutation.what, mutation.reason)).collect()
    }

    fn whats(text: &str) -> Vec<String> {
        found(text).into_iter().map(|(_, what, _)| what).collect()
    }

    #[test]
    fn each_ordering_of_a_call_is_weakened_by_one_step() {
        assert_eq!(whats("x.load(Ordering::Acquire);"), ["load Acquire → Relaxed"]);
        assert_eq!(whats("x.load(Ordering::SeqCst);"), ["load SeqCst → Acquire"]);
        assert_eq!(whats("x.store(f(1, 2), Ordering::SeqCst);"), ["store SeqCst → Release"]);
        assert_eq!(whats("x.swap(1, atomic::Ordering::AcqRel);"), ["swap AcqRel → Acquire", "swap AcqRel → Release"]);
        assert_eq!(
            whats("x.compare_exchange(\n    a,\n    b,\n    Ordering::Release,\n    Ordering::Acquire,\n);"),
            ["compare_exchange Release → Relaxed", "compare_exchange failure Acquire → Relaxed"]
        );
    }

    #[test]
    fn a_fence_is_weakened_and_deleted_and_so_is_a_call_to_one() {
        assert_eq!(whats("{\n    fence(Ordering::SeqCst);\n}"), ["fence deleted", "fence SeqCst → AcqRel"]);
        assert_eq!(whats("{ Shared::<T>::fence(); full_fence() }"), ["fence deleted", "full_fence deleted"]);
        assert!(whats("fn full_fence() {}\nlet a = self.top_after_fence();\nstore_then_fence(&a, b);").is_empty());
    }

    #[test]
    fn comments_strings_tests_imports_and_other_orderings_are_left_alone() {
        let text = "use a::Ordering::{self, Acquire};\n// x.load(Ordering::Acquire)\nlet a = \"Ordering::Acquire\";\n\
            #[cfg(test)]\nmod tests {\n    x.load(Acquire);\n}\nlet b = cmp::Ordering::Less;\nlet c = Step::Acquire;\n\
            x.load(Acquire);\n";
        assert_eq!(found(text), [(10, "load Acquire → Relaxed".into(), None)]);
        assert!(whats("x.swap(1, Release);").is_empty());
    }

    #[test]
    fn the_reason_stands_in_the_comment_above_the_statement() {
        let text = "// ORDERING A1: acquire.\n// UNMODELLED: the lock orders it,\n// twice.\n// ORDERING A2: more.\nlet a = self\n    .x\n    .load(Ordering::Acquire);\n\
            x.load(Ordering::Acquire);\n";
        let reasons: Vec<_> = found(text).into_iter().map(|(_, _, reason)| reason).collect();
        assert_eq!(reasons, [Some("the lock orders it, twice.".into()), None]);
    }
}
