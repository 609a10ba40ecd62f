//! A compiler with the source of its standard library, and the LLVM tools, from Debian's packages.
//!
//! Rustup's `rust-src` and `llvm-tools` components would do as well, where they can be had: then nothing is fetched. The packages are
//! unpacked below `target/verify/debian`, and nothing is installed.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{HOST, NotRun};
use crate::workspace::Workspace;

/// What is fetched, besides the versioned packages that these depend on.
const PACKAGES: [&str; 4] = ["rustc-web", "rust-web-src", "libstd-rust-web-dev", "llvm-22"];

/// The versioned packages: the standard library's, and LLVM's.
const VERSIONED: [&str; 2] = ["libstd-rust-web-", "libllvm"];

/// Debian's toolchain, unpacked.
#[derive(Debug)]
pub(super) struct Toolchain {
    root: PathBuf,
}

impl Toolchain {
    /// Fetches and unpacks the packages, if that has not been done.
    ///
    /// # Errors
    ///
    /// [`NotRun`] if the packages can't be had.
    pub(super) fn fetch(workspace: &Workspace) -> Result<Toolchain> {
        let folder = workspace.target.join("verify/debian");
        let toolchain = Toolchain { root: folder.join("root") };
        let done = folder.join("done");
        if !done.exists() {
            println!("fetching Debian's rustc, its source and LLVM into {}", folder.display());
            let packages = folder.join("packages");
            fs::create_dir_all(&packages)?;
            download(&packages).map_err(|error| {
                let instead = "it needs Debian 12 or later with its security archive, and a network";
                NotRun(format!("Debian's packages can't be fetched ({error:#}); {instead}"))
            })?;
            for package in fs::read_dir(&packages)? {
                run(Command::new("dpkg").arg("-x").arg(package?.path()).arg(&toolchain.root))?;
            }
            toolchain.write_wrapper()?;
            fs::write(&done, "")?;
        }
        Ok(toolchain)
    }

    /// The compiler.
    pub(super) fn rustc(&self) -> PathBuf {
        self.root.join("rustc")
    }

    /// A tool of LLVM, such as `llvm-cov`.
    pub(super) fn llvm(&self, tool: &str) -> Command {
        let version = PACKAGES[3].trim_start_matches("llvm-");
        let mut command = Command::new(self.root.join(format!("usr/lib/llvm-{version}/bin/{tool}")));
        command.env("LD_LIBRARY_PATH", self.libraries());
        command
    }

    /// Puts the runtime of a sanitizer, which Debian leaves out, where the compiler looks for it.
    ///
    /// # Errors
    ///
    /// [`NotRun`] if the installed toolchain has none.
    pub(super) fn lend_runtime(&self, sanitizer: &str) -> Result<()> {
        let inside = format!("lib/rustlib/{HOST}/lib");
        let installed = sysroot()?.join(&inside);
        let name = format!("_rt.{sanitizer}.a");
        let runtimes = fs::read_dir(&installed).with_context(|| format!("cannot list {}", installed.display()))?;
        let runtime = runtimes.flatten().find(|file| file.file_name().to_string_lossy().ends_with(&name));
        let runtime =
            runtime.ok_or_else(|| NotRun(format!("{} has no runtime of {sanitizer}", installed.display())))?;
        // Each channel names it after itself.
        for channel in ["stable", "dev"] {
            fs::copy(runtime.path(), self.root.join("usr").join(&inside).join(format!("librustc-{channel}{name}")))?;
        }
        Ok(())
    }

    fn libraries(&self) -> PathBuf {
        self.root.join("usr/lib/x86_64-linux-gnu")
    }

    /// A script that lets the compiler find the libraries it is linked with.
    fn write_wrapper(&self) -> Result<()> {
        let compiler = self.root.join("usr/bin/rustc");
        let path = self.rustc();
        let mut file = fs::File::create(&path)?;
        writeln!(file, "#!/bin/sh")?;
        writeln!(file, "LD_LIBRARY_PATH='{}' exec '{}' \"$@\"", self.libraries().display(), compiler.display())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

/// Fetches the packages into the folder `to`.
fn download(to: &Path) -> Result<()> {
    let mut names: Vec<String> = PACKAGES.iter().map(|&name| name.to_owned()).collect();
    let mut at = 0;
    while let Some(name) = names.get(at) {
        for dependency in dependencies(name)? {
            if VERSIONED.iter().any(|prefix| dependency.starts_with(prefix)) && !names.contains(&dependency) {
                names.push(dependency);
            }
        }
        at += 1;
    }
    run(Command::new("apt-get").args(["download", "-o", "APT::Sandbox::User=root"]).args(&names).current_dir(to))
}

/// What Debian's package `name` depends on.
fn dependencies(name: &str) -> Result<Vec<String>> {
    let output = Command::new("apt-cache").args(["depends", name]).output().context("cannot start apt-cache")?;
    ensure!(output.status.success() && !output.stdout.is_empty(), "there is no package {name}");
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.trim().strip_prefix("Depends: ")).map(str::to_owned).collect())
}

/// Where the toolchain that runs us is.
pub(super) fn sysroot() -> Result<PathBuf> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().context("cannot start rustc")?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    ensure!(output.status.success(), "{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
