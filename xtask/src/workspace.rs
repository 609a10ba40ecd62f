//! What `cargo metadata` says about this workspace, reduced to what the commands ask.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The workspace: where it is, where it builds to, what is in it.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The folder that holds its `Cargo.toml`.
    pub(crate) folder: PathBuf,
    /// Every feature but `default`, with what it enables.
    pub(crate) features: Vec<(String, Vec<String>)>,
    /// What it names under `[dependencies]` and `[build-dependencies]`, for any platform.
    pub(crate) dependencies: Vec<String>,
}

impl Workspace {
    /// Asks cargo. Dependencies are not resolved, so this needs neither the network nor a lock file.
    ///
    /// # Errors
    ///
    /// Fails if cargo does, or if a manifest is invalid.
    pub(crate) fn load() -> Result<Workspace> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?;
        let output = Command::new(cargo())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root)
            .output()
            .context("cannot start cargo")?;
        ensure!(output.status.success(), "cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
        let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
        Ok(Workspace {
            root: root.to_owned(),
            target: PathBuf::from(text(&metadata["target_directory"])),
            packages: packages.iter().map(Package::from_metadata).collect(),
        })
    }

    /// The libraries that people use: the packages under `crates/`.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &Package> {
        let folder = self.root.join("crates");
        self.packages.iter().filter(move |package| package.folder.starts_with(&folder))
    }

    /// Every swap: a crate and the feature that exchanges something in it. A feature that only passes on to features of our
    /// own crates below is none.
    pub(crate) fn swaps(&self) -> impl Iterator<Item = (&Package, &str)> {
        self.crates().flat_map(|package| {
            let own = package.features.iter().filter(|(_, enables)| !passes_on(enables));
            own.map(move |(name, _)| (package, name.as_str()))
        })
    }

    /// `path` as the reader would type it from the top folder.
    pub(crate) fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }
}

impl Package {
    fn from_metadata(package: &Value) -> Package {
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let features = package["features"].as_object();
        let dependencies = package["dependencies"].as_array();
        Package {
            name: text(&package["name"]),
            folder: manifest.parent().unwrap_or(&manifest).to_owned(),
            features: features
                .into_iter()
                .flatten()
                .filter(|(name, _)| *name != "default")
                .map(|(name, enables)| (name.clone(), enables.as_array().into_iter().flatten().map(text).collect()))
                .collect(),
            dependencies: dependencies
                .into_iter()
                .flatten()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        }
    }
}

/// The cargo that runs us, so that a nested call uses the same toolchain.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Whether a feature that enables `enables` has no effect but on crates of ours.
pub(crate) fn passes_on(enables: &[String]) -> bool {
    !enables.is_empty() && enables.iter().all(|what| what.starts_with("tiny-coro") && what.contains('/'))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
