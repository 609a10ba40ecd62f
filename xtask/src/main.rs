//! The project's own commands: `cargo xtask --help` lists them.

fn main() -> std::process::ExitCode {
    xtask::main()
}
