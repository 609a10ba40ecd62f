//! Rust source as the checks see it: lines, each known to be code, comment or blank, product or test.
//!
//! This is not a parser. It relies on the tree being formatted by rustfmt, which the CI checks first: an item
//! ends at the first line that closes a brace in the item's own column.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Blank,
    Comment,
    Code,
}

/// One line of a file.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) text: String,
    pub(crate) kind: Kind,
    /// Whether the line belongs to an item behind `#[cfg(test)]`, or to a test target.
    pub(crate) test: bool,
}

/// One Rust file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) lines: Vec<Line>,
}

impl File {
    fn read(path: PathBuf, test: bool) -> Result<File> {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(File { path, lines: classify(&text, test) })
    }

    /// The folders where the files of the test modules that this file declares would be.
    fn test_modules(&self) -> Vec<PathBuf> {
        let root = ["lib.rs", "main.rs", "mod.rs"].iter().any(|name| self.path.ends_with(name));
        let folder = if root { self.path.with_file_name("") } else { self.path.with_extension("") };
        let declared = self.lines.iter().filter(|line| line.test && line.kind == Kind::Code);
        let names = declared.filter_map(|line| line.text.trim().strip_prefix("mod ")?.strip_suffix(';'));
        names.map(|name| folder.join(name)).collect()
    }
}

/// Every `.rs` file under `folder`, sorted; `test` says that all of them are tests. A missing folder has none.
///
/// # Errors
///
/// Fails if a file can't be read or is not UTF-8.
pub(crate) fn files(folder: &Path, test: bool) -> Result<Vec<File>> {
    let mut found = Vec::new();
    collect(folder, &mut found)?;
    found.sort();
    let mut files = found.into_iter().map(|path| File::read(path, test)).collect::<Result<Vec<_>>>()?;
    mark_test_modules(&mut files);
    Ok(files)
}

/// The file at `path`, if it held `text`.
#[cfg(test)]
pub(crate) fn parse(path: PathBuf, text: &str) -> File {
    File { path, lines: classify(text, false) }
}

/// Marks the files of modules that are declared behind `#[cfg(test)]`.
fn mark_test_modules(files: &mut [File]) {
    let modules: Vec<PathBuf> = files.iter().flat_map(File::test_modules).collect();
    for file in files {
        let belongs = |module: &PathBuf| file.path.starts_with(module) || file.path == module.with_extension("rs");
        if modules.iter().any(belongs) {
            file.lines.iter_mut().for_each(|line| line.test = true);
        }
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// Splits `text` into lines and says what each is.
fn classify(text: &str, test: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut in_block_comment = false;
    let mut skip = Skip::No;
    for (index, text) in text.lines().enumerate() {
        let trimmed = text.trim_start();
        let kind = if in_block_comment || trimmed.starts_with("/*") {
            in_block_comment = !trimmed.contains("*/");
            Kind::Comment
        } else if trimmed.is_empty() {
            Kind::Blank
        } else if trimmed.starts_with("//") {
            Kind::Comment
        } else {
            Kind::Code
        };
        let inside = if kind == Kind::Code { skip.step(text) } else { skip != Skip::No };
        lines.push(Line { number: index + 1, text: text.to_owned(), kind, test: test || inside });
    }
    lines
}

/// Follows an item behind `#[cfg(test)]` to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Skip {
    No,
    /// The attribute was seen in this column, the item's first line comes next.
    Attribute(usize),
    /// In the item, which ends at a closing brace in this column.
    Body(usize),
}

impl Skip {
    /// Takes the next line of code; whether it belongs to a test item.
    fn step(&mut self, text: &str) -> bool {
        let column = text.len() - text.trim_start().len();
        let trimmed = text.trim();
        match *self {
            Skip::No if trimmed.starts_with("#[cfg(test)]") || trimmed.starts_with("#[cfg(all(test") => {
                *self = Skip::Attribute(column);
            }
            Skip::No => return false,
            Skip::Attribute(_) if trimmed.starts_with("#[") => {}
            Skip::Attribute(column) if trimmed.ends_with('{') => *self = Skip::Body(column),
            Skip::Attribute(_) if trimmed.ends_with([';', '}', ',']) => *self = Skip::No,
            Skip::Attribute(_) => {}
            Skip::Body(end) if column == end && trimmed.starts_with('}') => *self = Skip::No,
            Skip::Body(_) => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_behind_cfg_test_are_tests_and_the_rest_is_product() {
        let text = "//! Docs.\n\nfn a() {\n    b();\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {}\n}\n\nfn c() {}\n";
        let lines = classify(text, false);
        let product: Vec<usize> =
            lines.iter().filter(|line| line.kind == Kind::Code && !line.test).map(|line| line.number).collect();
        assert_eq!(product, [3, 4, 5, 13]);
    }

    #[test]
    fn an_attribute_before_a_declaration_covers_that_line_only() {
        let lines = classify("#[cfg(all(test, tiny_coro_loom))]\nmod models;\nmod a;\n", false);
        assert_eq!(lines.iter().map(|line| line.test).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn the_file_of_a_test_module_is_a_test() {
        let file = |path: &str, text: &str| File { path: path.into(), lines: classify(text, false) };
        let root = file("src/lib.rs", "#[cfg(test)]\nmod model;\nmod a;\n");
        let mut files =
            [root, file("src/model/mod.rs", "x();"), file("src/model.rs", "x();"), file("src/a.rs", "x();")];
        mark_test_modules(&mut files);
        assert_eq!(files.iter().map(|file| file.lines[0].test).collect::<Vec<_>>(), [true, true, true, false]);
    }

    #[test]
    fn a_block_comment_is_comment_to_its_end() {
        let lines = classify("/* one\ntwo */\ncode();\n/* three */\n", false);
        let kinds: Vec<Kind> = lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [Kind::Comment, Kind::Comment, Kind::Code, Kind::Comment]);
    }
}
