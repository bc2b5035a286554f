//! The program once more, in a build that knows one format more (feature `next-format`).

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    entente::cli::run(entente::cli::Arguments::parse())
}
