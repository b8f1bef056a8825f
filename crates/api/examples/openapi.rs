//! Writes the OpenAPI description of the API to stdout.
//!
//! `cargo run -p api --example openapi > docs/openapi.json` renews the committed copy.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(api::openapi::document().as_bytes())
}
