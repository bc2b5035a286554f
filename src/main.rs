//! The `entente` binary: parse, start, exit code.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// Bodies and payloads are many small allocations; the system's allocator took a tenth of the time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    entente::cli::run(entente::cli::Arguments::parse())
}
