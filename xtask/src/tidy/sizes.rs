//! Sizes: a report per crate, and a limit per file.

use super::{Finding, Library};
use crate::source::{File, Kind};

/// Lines of a file, documentation and tests included, that need no explanation.
const LIMIT: usize = 450;

/// What a longer file has to say, at the beginning of a line of its module doc.
const REASON: &str = "//! Long because ";

/// Checks that a file over the limit says why.
pub(super) fn check(library: &Library<'_>) -> Vec<Finding> {
    let explained = |file: &File| file.lines.iter().any(|line| line.text.starts_with(REASON));
    let too_long = library.source.iter().filter(|file| file.lines.len() > LIMIT && !explained(file));
    let message = |file: &File| format!("{} lines; over {LIMIT} a file says `{REASON}…`", file.lines.len());
    too_long.map(|file| Finding::new(&file.path, 1, message(file))).collect()
}

/// Prints a table of the crates: files, lines of code without blanks, comments and tests, tests, and the longest file.
pub(super) fn report(libraries: &[Library<'_>]) {
    println!("{:<20} {:>5} {:>6} {:>9} {:>6}  longest file", "crate", "files", "code", "comments", "tests");
    let mut total = Size::default();
    for library in libraries {
        let size = Size::of(library);
        println!("{:<20} {}  {}", library.package.name, size.columns(), longest(library));
        total.add(&size);
    }
    println!("{:<20} {}\n", "all", total.columns());
}

fn longest(library: &Library<'_>) -> String {
    let longest = library.source.iter().max_by_key(|file| file.lines.len());
    longest.map_or_else(String::new, |file| {
        let name = file.path.strip_prefix(library.package.folder.join("src")).unwrap_or(&file.path);
        format!("{} ({})", name.display(), file.lines.len())
    })
}

#[derive(Default)]
struct Size {
    files: usize,
    code: usize,
    comments: usize,
    tests: usize,
}

impl Size {
    fn of(library: &Library<'_>) -> Size {
        let mut size = Size { files: library.source.len(), ..Size::default() };
        for line in library.source.iter().chain(&library.tests).flat_map(|file| &file.lines) {
            match (line.kind, line.test) {
                (Kind::Code, true) => size.tests += 1,
                (Kind::Code, false) => size.code += 1,
                (Kind::Comment, false) => size.comments += 1,
                _ => {}
            }
        }
        size
    }

    fn add(&mut self, other: &Size) {
        self.files += other.files;
        self.code += other.code;
        self.comments += other.comments;
        self.tests += other.tests;
    }

    fn columns(&self) -> String {
        format!("{:>5} {:>6} {:>9} {:>6}", self.files, self.code, self.comments, self.tests)
    }
}
