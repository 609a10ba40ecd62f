//! A copy of the workspace that may be spoilt. It is kept, so that the next time cargo builds only what has changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The copy.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) root: PathBuf,
}

impl Scratch {
    /// Makes `root` equal to the workspace at `original`, without what is built or hidden.
    ///
    /// # Errors
    ///
    /// Fails if a file can't be read or written.
    pub(super) fn sync(original: &Path, root: PathBuf) -> Result<Scratch> {
        copy(original, &root).with_context(|| format!("cannot copy {} to {}", original.display(), root.display()))?;
        Ok(Scratch { root })
    }

    /// Runs `f` while the file at `path`, which is from the top folder, has the contents `text`.
    ///
    /// # Errors
    ///
    /// Fails if `f` does, or if the file can't be written.
    pub(super) fn with<R>(&self, path: &Path, text: &str, f: impl FnOnce() -> Result<R>) -> Result<R> {
        let path = self.root.join(path);
        let original = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        let result = f();
        fs::write(&path, original).with_context(|| format!("cannot restore {}", path.display()))?;
        result
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.') && name != ".cargo";
        if hidden || name == "target" {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            // What is equal keeps its time, which is what cargo goes by.
            let contents = fs::read(entry.path())?;
            if fs::read(&target).ok().as_ref() != Some(&contents) {
                fs::write(&target, contents)?;
            }
        }
        names.insert(name);
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !names.contains(&entry.file_name()) {
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
        }
    }
    Ok(())
}
