#!/usr/bin/env bash
# Every check and every test. Needs a stock Rust toolchain (with rustfmt and clippy) and gcc.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "format"
cargo fmt --all --check
step "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings
# Rules broken on purpose, for the tests of the lab: in no program, and still code that compiles.
cargo clippy -p lab --features mutants --all-targets --locked -- -D warnings
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
step "licences, bans, sources and advisories"
if cargo deny --version >/dev/null 2>&1; then
    cargo deny --locked check licenses bans sources
    # The advisory database is fetched; where it is out of reach this check says so and is skipped.
    if cargo deny --locked fetch db >/dev/null 2>&1; then
        cargo deny --locked check advisories
    else
        echo "skipped: the advisory database is out of reach"
    fi
else
    echo "skipped: cargo-deny is not installed (the tidy test checks licences and sources all the same)"
fi
step "tests"
# The tests that start real processes run the binaries of this build. It builds the tests as well: alone, the binaries
# have other features of a few libraries, and everything above those would be built twice.
cargo build --workspace --bins --tests --locked
cargo test --workspace --locked --no-fail-fast
# The lab is tested with every rule of the core broken in its turn. Other features, so types, ledger, pbft and lab are
# built once more.
cargo test -p lab --features mutants --locked --test mutants
