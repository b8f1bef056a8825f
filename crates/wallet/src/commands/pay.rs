//! `pay`: every row of a CSV file, exactly once, however often the command is interrupted and run
//! again.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use types::Nonce;

use super::transfer::{no_account, valid_until};
use crate::arguments::PayArguments;
use crate::ask;
use crate::certified::{self, Certified};
use crate::exit::{Exit, Failure};
use crate::output::{BOLD, Output, styled};
use crate::pay::engine::{Engine, Settled};
use crate::pay::files::Files;
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
    let password = arguments.password.password_file.as_deref();
    let files = Files::of(&arguments.file, arguments.report.as_deref(), password)?;
    let payments = Payments::read(&files.csv, site.genesis().denomination(), |who| {
        people.resolve(who).map_err(|failure| failure.text)
    })?;
    let found = Journal::open(&files.journal)?;
    let certified =
        certified::account(&site, &payer.address(), ask::deadline(), &mut context.output)?
            .ok_or_else(|| no_account(payer.name()))?;
    let job = Job { site, payer, files, payments, certified, arguments };
    let journal = match found {
        None => job.begin(context)?,
        Some(journal) => job.take_up(context, journal)?,
    };
    job.finish(context, journal)
}

fn rows_text(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// One run of the command.
struct Job<'a> {
    site: Site,
    payer: Payer<'a>,
    files: Files,
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
            let need =
                if rows == 1 { "1 row needs".to_owned() } else { format!("{rows} rows need") };
            let text = format!("{need} {total_text}, {name} has {balance_text}");
            return Err(Failure::new(Exit::Refused, "overdraft", text));
        }
        if !self.arguments.yes {
            context.output.notice(format!(
                "Pay {} of {}, together {}\n  from  {name} (balance {balance_text})",
                rows_text(rows),
                self.files.csv.display(),
                styled(BOLD, total_text),
            ));
            terminal::confirm("Send them?")?;
        }
        let secret = self.payer.unlock(&self.arguments.password, &mut context.output)?;
        let first = self.certified.next_nonce;
        let signed = plan::sign_all(&self.payments, &self.terms(), first, &secret);
        Journal::create(&self.files.journal, self.plan(), signed)
    }

    /// Finds out what an earlier run left, and signs again what can only be sent so.
    fn take_up(&self, context: &mut Context, journal: Journal) -> Result<Journal, Failure> {
        let (terms, file) = (self.terms(), self.files.csv.display().to_string());
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
        let text = format!(
            "{} to be signed again, what was signed can never commit",
            rows_text(again.len())
        );
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
        let genesis = self.site.genesis();
        let Files { csv, report: path, .. } = &self.files;
        // The payment is over, and what became of it is told even when its report is lost.
        let written = write_rows(path, &self.payments, &outcomes, genesis);
        let path = written.is_ok().then_some(path.as_path());
        let sender = self.payer.address();
        let report = PayReport::of(csv, path, &sender, &self.payments, &outcomes, genesis);
        context.output.result(&report)?;
        match (report.end(), written) {
            (Err(failure), Err(cause)) => {
                context.output.warning(cause);
                Err(failure)
            }
            (end, written) => end.and_then(|exit| written.map(|()| exit)),
        }
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
            let template = "{bar:24} {pos} of {len} final, {eta} left";
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
