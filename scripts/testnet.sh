#!/usr/bin/env bash
# Builds what is needed and starts the local testnet; arguments go to `logothete testnet up`.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
cargo build --manifest-path "$root/Cargo.toml" --release --locked \
    --bin logothete --bin logothete-wallet --bin logothete-adversary
exec "${CARGO_TARGET_DIR:-$root/target}/release/logothete" testnet up "$@"
