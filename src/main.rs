//! The `entente` binary: parse, start, exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    entente::cli::run(entente::cli::Arguments::parse())
}
