//! A command line that cannot be meant: told as clap does it, or with `--json` as any other failure.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::arguments::Arguments;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// The arguments of this process, or the code that it ends with: it was asked for help, or its line
/// cannot be meant, which has been told then.
pub(crate) fn arguments() -> Result<Arguments, ExitCode> {
    let words: Vec<OsString> = std::env::args_os().collect();
    Arguments::try_parse_from(&words).map_err(|wrong| {
        if wrong.use_stderr() && wants_json(&words) {
            Output::of_process(true).failure(&failure(&wrong));
            return ExitCode::from(Exit::Usage.code());
        }
        // Nobody is left to tell when this cannot be written.
        drop(wrong.print());
        ExitCode::from(u8::try_from(wrong.exit_code()).unwrap_or(Exit::Usage.code()))
    })
}

/// Whether results are JSON, on a line that the parser does not understand.
fn wants_json(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// What clap says over several paragraphs: what is wrong as the text, the rest as the hint.
fn failure(wrong: &clap::Error) -> Failure {
    if wrong.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Failure::usage("the command is not whole").with_hint("--help lists all");
    }
    let said = wrong.render().to_string();
    let mut paragraphs = said.split("\n\n").map(on_one_line).filter(|text| !text.is_empty());
    let text = paragraphs.next().unwrap_or_default();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Failure::usage(text).with_hint(paragraphs.collect::<Vec<_>>().join("; "))
}

fn on_one_line(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}
