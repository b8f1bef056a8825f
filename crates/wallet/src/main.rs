//! `logothete-wallet`: keys, transfers and proofs. Everything is in the library part.

use std::process::ExitCode;

fn main() -> ExitCode {
    wallet::main()
}
