#!/usr/bin/env bash
# Feeds every target of fuzz/ for some seconds: `scripts/fuzz.sh [seconds [seed]]`, 60 by default; with
# a seed, much the same inputs come every time. Needs nothing but the project's own toolchain and a C++
# compiler.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly SECONDS_EACH="${1:-60}"
readonly SEED="${2:-0}"
[[ "$SEED" =~ ^[0-9]+$ ]] || fail "'$SEED' is not a number"
[[ "$SECONDS_EACH" =~ ^[1-9][0-9]*$ ]] || fail "'$SECONDS_EACH' is not a number of seconds"

# Larger inputs are slower and find nothing that smaller ones do not.
readonly BYTES_MAX=4096
# What lets libFuzzer see which branches an input takes and what was compared there.
readonly FLAGS=(
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
    --cfg fuzzing
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0
    -Cllvm-args=-sanitizer-coverage-stack-depth
    -Cdebug-assertions
)

if ! command -v c++ >/dev/null; then
    can_install_packages || fail 'a C++ compiler is missing: install one (Debian: g++)'
    update_package_list
    install_packages g++
fi

host=$(rustc -vV | sed -n 's/^host: //p')
# With a target named, build scripts and macros are built without these flags: they could not link.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="${FLAGS[*]}" cargo build --manifest-path fuzz/Cargo.toml --locked \
    --target-dir fuzz/target --target "$host" --release \
    --config 'profile.release.debug="line-tables-only"'

found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
for target in fuzz/fuzz_targets/*.rs; do
    name=$(basename "$target" .rs)
    section "$name, $SECONDS_EACH s"
    mkdir -p "fuzz/artifacts/$name" "$found/$name"
    # What reaches something new goes into the first folder; the corpus stays as it is.
    "fuzz/target/$host/release/$name" -max_total_time="$SECONDS_EACH" -max_len="$BYTES_MAX" -seed="$SEED" \
        -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$name/" -verbosity=0 \
        "$found/$name" "fuzz/corpus/$name" 2>&1 | grep -vE '^(INFO|stat::(average|new|peak|slowest))' ||
        fail "$name failed: the input is in fuzz/artifacts/$name"
done
