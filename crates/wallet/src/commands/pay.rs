//! `pay`: every row of a CSV file, exactly once, however often the command is interrupted and run
//! again.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use types::Nonce;

use super::transfer::{no_account, valid_until};
use crate::arguments::PayArguments;
use crate::certified::{self, Certified};
use crate::exit::{Exit, Failure};
use crate::output::{BOLD, Output, styled};
use crate::pay::engine::{Engine, Settled};
use crate::pay::journal::{Journal, Plan};
use crate::pay::plan::{self, Terms};
use crate::pay::report::{PayReport, write_rows};
use crate::pay::rows::Payments;
use crate::pay::validators::Validators;
use crate::people::{Payer, People};
use crate::program::Context;
use crate::site::Site;
use crate::terminal;

/// How long it may take to find out what an earlier run left committed.
const SETTLE_PATIENCE: Duration = Duration::from_secs(20);

/// How often progress is told without a terminal.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Runs `pay`.
///
/// # Errors
/// Whatever the documented exit codes say.
pub(crate) fn run(context: &mut Context, arguments: &PayArguments) -> Result<Exit, Failure> {
    let site = Site::open(&context.places)?;
    let people = People::of(&site, &context.keystore)?;
    let payer = people.payer(&arguments.from)?;
    let payments = Payments::read(&arguments.file, site.genesis().denomination(), |who| {
        people.resolve(who).map_err(|failure| failure.text)
    })?;
    let found = Journal::open(&beside(&arguments.file, ".pay"))?;
    let certified = certified::account(&site, &payer.address(), &mut context.output)?
        .ok_or_else(|| no_account(payer.name()))?;
    let job = Job { site, payer, payments, certified, arguments };
    let journal = match found {
        None => job.begin(context)?,
        Some(journal) => job.take_up(context, journal)?,
    };
    job.finish(context, journal)
}

/// `FILE.csv` with something behind it.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

/// One run of the command.
struct Job<'a> {
    site: Site,
    payer: Payer<'a>,
    payments: Payments,
    certified: Certified,
    arguments: &'a PayArguments,
}

impl Job<'_> {
    fn terms(&self) -> Terms {
        Terms {
            chain: *self.site.genesis().chain(),
            sender: self.payer.address(),
            valid_until: valid_until(self.certified.height, self.arguments.valid_for),
        }
    }

    fn plan(&self) -> Plan {
        let genesis = self.site.genesis();
        let sender = self.payer.address().to_text(genesis.prefix());
        let chain = genesis.chain().to_string();
        Plan::new(&self.payments.sha256, &chain, &sender, self.payments.rows.len())
    }

    /// Signs every row and puts that on disk.
    fn begin(&self, context: &mut Context) -> Result<Journal, Failure> {
        let denomination = self.site.genesis().denomination();
        let (total, balance) = (self.payments.total, self.certified.account.balance);
        let (rows, name) = (self.payments.rows.len(), self.payer.name());
        let total_text = denomination.format_with_symbol(total);
        let balance_text = denomination.format_with_symbol(balance);
        if total > balance {
            let text = format!("{rows} rows need {total_text}, {name} has {balance_text}");
            return Err(Failure::new(Exit::Refused, "overdraft", text));
        }
        if !self.arguments.yes {
            context.output.notice(format!(
                "Pay {rows} rows of {}, together {}\n  from  {name} (balance {balance_text})",
                self.arguments.file.display(),
                styled(BOLD, total_text),
            ));
            terminal::confirm("Send them?")?;
        }
        let secret = self.payer.unlock(&self.arguments.password, &mut context.output)?;
        let first = self.certified.next_nonce;
        let signed = plan::sign_all(&self.payments, &self.terms(), first, &secret);
        Journal::create(&beside(&self.arguments.file, ".pay"), self.plan(), signed)
    }

    /// Finds out what an earlier run left, and signs again what can only be sent so.
    fn take_up(&self, context: &mut Context, journal: Journal) -> Result<Journal, Failure> {
        let (terms, file) = (self.terms(), self.arguments.file.display().to_string());
        plan::check_belongs(&journal, &self.plan(), &self.payments, &terms, &file)?;
        let mut chain = Validators::new(self.site.clone(), self.payer.address());
        let engine = Engine::new(&mut chain, journal, self.window(), SETTLE_PATIENCE);
        let (journal, settled) = engine.settle_only()?;
        let open = journal.rows().iter().filter(|row| row.committed.is_none()).count();
        let rows = journal.rows().len();
        context.output.notice(format!(
            "{} of {rows} rows are final already, {open} are left",
            rows.saturating_sub(open)
        ));
        let again = self.to_sign_again(&journal, &settled);
        if again.is_empty() {
            return Ok(journal);
        }
        let text =
            format!("{} rows have to be signed again, they can no longer commit", again.len());
        context.output.notice(text);
        if !self.arguments.yes {
            terminal::confirm("Sign and send them?")?;
        }
        let secret = self.payer.unlock(&self.arguments.password, &mut context.output)?;
        plan::sign_again(journal, &self.payments, &terms, &again, &secret)
    }

    fn to_sign_again(&self, journal: &Journal, settled: &Settled) -> Vec<(usize, Nonce)> {
        plan::to_sign_again(journal.rows(), settled, self.certified.next_nonce)
    }

    fn finish(&self, context: &mut Context, journal: Journal) -> Result<Exit, Failure> {
        let mut chain = Validators::new(self.site.clone(), self.payer.address());
        let engine = Engine::new(&mut chain, journal, self.window(), self.arguments.timeout);
        let mut progress = Progress::new(self.payments.rows.len(), &mut context.output);
        let ended = engine.run(|done| progress.tell(done));
        progress.end();
        let (_journal, Settled { outcomes, .. }) = ended?;
        let path = match &self.arguments.report {
            Some(path) => path.clone(),
            None => beside(&self.arguments.file, ".result.csv"),
        };
        let genesis = self.site.genesis();
        write_rows(&path, &self.payments, &outcomes, genesis)?;
        let sender = self.payer.address();
        let file = &self.arguments.file;
        let report = PayReport::of(file, &path, &sender, &self.payments, &outcomes, genesis);
        context.output.result(&report)?;
        report.end()
    }

    fn window(&self) -> usize {
        usize::from(self.arguments.window)
    }
}

/// A bar on a terminal, a line every few seconds elsewhere.
struct Progress<'a> {
    rows: usize,
    bar: Option<ProgressBar>,
    output: &'a mut Output,
    told: Instant,
}

impl<'a> Progress<'a> {
    fn new(rows: usize, output: &'a mut Output) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let length = u64::try_from(rows).unwrap_or(u64::MAX);
            let template = "{bar:40} {pos} of {len} final, {per_sec}, {eta} left";
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(length).with_style(style)
        });
        Self { rows, bar, output, told: Instant::now() }
    }

    fn tell(&mut self, done: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        } else if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            self.output.notice(format!("{done} of {} rows are final", self.rows));
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
