//! Compiles the contract (`proto/`) to Rust, with no `protoc` on the machine.
//!
//! It leaves two things in `OUT_DIR`: the generated modules, and `entente_descriptor.bin`, the
//! contract as a `FileDescriptorSet` with its comments, for reflection and for the tests.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where the contract lies, relative to the crate.
const PROTO_ROOT: &str = "proto";

/// The folder of our own files, relative to `PROTO_ROOT`.
const CONTRACT: &str = "entente/v1";

/// Not imported by the contract, but sent by it: reflection has to know the details of errors.
const ERROR_DETAILS: &str = "google/rpc/error_details.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PROTO_ROOT}");

    let mut compiler = protox::Compiler::new([PROTO_ROOT])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(contract_files()?)?;
    compiler.open_file(ERROR_DETAILS)?;

    // Written as the compiler encodes it: only this form keeps the options (field behaviour, paths)
    // that `prost-types` does not know.
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out_dir.join("entente_descriptor.bin"),
        compiler.encode_file_descriptor_set(),
    )?;

    let mut descriptors = compiler.file_descriptor_set();
    descriptors
        .file
        .retain(|file| is_part_of_messages(file.package()));
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(descriptors)?;
    Ok(())
}

/// The contract's files, in a fixed order so that the descriptor is the same on every machine.
fn contract_files() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(PROTO_ROOT).join(CONTRACT))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether the code generator has to see a package. `google.api` only annotates; `google.protobuf` and
/// `google.rpc` are seen so that fields can refer to them, but their code comes from other crates.
fn is_part_of_messages(package: &str) -> bool {
    package != "google.api"
}
