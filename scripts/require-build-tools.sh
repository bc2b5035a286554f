#!/usr/bin/env bash
# Makes sure that the project can be compiled: cargo, and a C compiler for the bundled SQLite.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

command -v cargo >/dev/null ||
    fail 'cargo is missing: install Rust with rustup, https://rustup.rs'

if ! command -v cc >/dev/null; then
    can_install_packages ||
        fail 'a C compiler is missing: install gcc and the C library headers (Debian: gcc libc6-dev)'
    update_package_list
    install_packages gcc libc6-dev
fi
