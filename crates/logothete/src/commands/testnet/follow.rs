//! What `testnet up` shows while the validators run: one line in place on a terminal, else one line
//! for each block.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use api::client::Client;
use api::types::BlockSummary;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use types::number::Height;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::{BAD, BOLD, DIM, Output, Report, WARN, styled};
use crate::status::{Sight, State, Watch};
use crate::testnet::fleet::{Death, Fleet};
use crate::testnet::node::Node;

/// Pause between two looks.
const TICK: Duration = Duration::from_millis(250);

/// How long a validator may take to answer one look; a halted one must not hold up the line.
const PATIENCE: Duration = Duration::from_millis(750);

/// Over how long the rate of transactions is taken.
const RATE_WINDOW: Duration = Duration::from_secs(3);

/// Pages of blocks asked for at one look; what lies further back is passed over.
const PAGES_MAX: u32 = 20;

/// Blocks on a page.
const PAGE_BLOCKS: u32 = 100;

/// Validators that have a mark of their own in the line.
const MARKS_MAX: usize = 8;

/// Shows what happens after what was `shown` until the process is told to end or nobody reads it any
/// more.
///
/// # Errors
///
/// Fails when the system does not tell which validators run.
pub(super) fn follow(
    nodes: &[Node],
    shown: &[Sight],
    fleet: &mut Fleet,
    interrupt: &Interrupt,
    output: &mut Output,
) -> Result<(), Failure> {
    let in_place = !output.json() && io::stdout().is_terminal() && io::stderr().is_terminal();
    let line = if in_place { line() } else { ProgressBar::hidden() };
    let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    let mut watch = Watch::new(nodes.to_vec(), PATIENCE);
    let mut feed = Feed::after(shown);
    let mut rate = Rate::default();
    output.notice("Ctrl-C stops the validators");
    while !interrupt.wait(TICK) {
        for death in fleet.deaths() {
            line.suspend(|| tell(&death, output));
        }
        let sights = watch.look()?;
        let blocks = feed.blocks(&sights);
        rate.count(Instant::now(), &blocks);
        if in_place {
            let text = status_line(&sights, rate.per_second(Instant::now()));
            line.set_message(if colour { text } else { strip_str(&text).to_string() });
            line.tick();
        } else {
            for block in blocks {
                if !output.entry(&BlockLine::of(&block))? {
                    return Ok(());
                }
            }
        }
    }
    line.finish_and_clear();
    Ok(())
}

fn line() -> ProgressBar {
    // A template that cannot be read would be a mistake in this line; the plain style shows the
    // message too.
    let style = ProgressStyle::with_template("{wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

fn tell(death: &Death, output: &mut Output) {
    output.warning(format_args!("{} ended: {}", death.node.name(), death.status));
    if !death.status.success() {
        // Killed on purpose or by a fault of its own: the log knows the difference.
        for line in death.log.iter().rev().take(5).rev() {
            output.notice(format_args!("  {line}"));
        }
    }
}

/// The blocks of the network, each once, in order, from the honest validator that has most of them.
#[derive(Debug)]
struct Feed {
    last: Height,
}

impl Feed {
    /// The blocks above the highest that was seen already.
    fn after(shown: &[Sight]) -> Self {
        let heights = shown.iter().filter_map(|sight| Some(sight.status.as_ref()?.height));
        Self { last: heights.max().unwrap_or(Height::GENESIS) }
    }

    /// The blocks since the last call.
    fn blocks(&mut self, sights: &[Sight]) -> Vec<BlockSummary> {
        let answering = sights
            .iter()
            .filter(|sight| sight.attacks.is_honest())
            .filter_map(|sight| Some((sight.status.as_ref()?.height, sight.client.as_ref()?)));
        let Some((height, client)) = answering.max_by_key(|(height, _)| *height) else {
            return Vec::new();
        };
        if height <= self.last {
            return Vec::new();
        }
        let mut blocks = blocks_after(client, self.last);
        blocks.reverse();
        if let Some(newest) = blocks.last() {
            self.last = newest.height;
        }
        blocks
    }
}

/// Blocks above a height, newest first. A validator that stops answering ends the list; the rest
/// comes at the next look.
fn blocks_after(client: &Client, last: Height) -> Vec<BlockSummary> {
    let mut blocks: Vec<BlockSummary> = Vec::new();
    let mut before = None;
    for _ in 0..PAGES_MAX {
        let Ok(page) = client.blocks(before, PAGE_BLOCKS) else {
            // Newest first: without the older ones the newer ones must wait, or they would be lost.
            return Vec::new();
        };
        let known = page.blocks.iter().any(|block| block.height <= last);
        blocks.extend(page.blocks.into_iter().filter(|block| block.height > last));
        before = page.next;
        if known || before.is_none() {
            break;
        }
    }
    blocks
}

/// Transactions a second, over the last seconds.
#[derive(Debug, Default)]
struct Rate {
    seen: VecDeque<(Instant, u64)>,
}

impl Rate {
    fn count(&mut self, now: Instant, blocks: &[BlockSummary]) {
        let transactions = blocks.iter().map(|block| u64::from(block.transactions)).sum();
        self.add(now, transactions);
    }

    fn add(&mut self, now: Instant, transactions: u64) {
        self.seen.push_back((now, transactions));
        while self.seen.front().is_some_and(|(at, _)| now.duration_since(*at) > RATE_WINDOW) {
            self.seen.pop_front();
        }
    }

    fn per_second(&self, now: Instant) -> u64 {
        let recent = self.seen.iter().filter(|(at, _)| now.duration_since(*at) <= RATE_WINDOW);
        let sum: u64 = recent.map(|(_, transactions)| transactions).sum();
        sum / RATE_WINDOW.as_secs()
    }
}

/// The line that stays in place.
fn status_line(sights: &[Sight], per_second: u64) -> String {
    let statuses: Vec<_> = sights.iter().filter_map(|sight| sight.status.as_ref()).collect();
    let most = |of: fn(&api::types::Status) -> u64| {
        statuses.iter().map(|status| of(status)).max().unwrap_or_default()
    };
    let height = most(|status| status.height.get());
    let mut parts = vec![
        styled(BOLD, format!("height {height}")),
        format!("{per_second} tx/s"),
        format!("{} pending", most(|status| status.pending)),
        format!("view {}", most(|status| status.view.get())),
    ];
    let marks: Vec<String> = if sights.len() <= MARKS_MAX {
        sights.iter().map(|sight| mark(sight, height)).collect()
    } else {
        let up = sights.iter().filter(|sight| sight.state == State::Up).count();
        let others =
            sights.iter().filter(|sight| sight.state != State::Up || !sight.attacks.is_honest());
        let up = format!("{up} of {} up", sights.len());
        std::iter::once(up).chain(others.map(|sight| mark(sight, height))).collect()
    };
    parts.push(marks.join("  "));
    parts.join("  ")
}

/// A validator in the line: how high it is, or what it is instead.
fn mark(sight: &Sight, highest: u64) -> String {
    let attacks = match sight.attacks.is_honest() {
        true => String::new(),
        false => format!(" {}", styled(BAD, &sight.attacks)),
    };
    let Some(status) = &sight.status else {
        let style = if sight.state == State::Down { BAD } else { WARN };
        return format!("{}{attacks} {}", sight.name, styled(style, sight.state.name()));
    };
    let primary = if status.primary == status.replica { "*" } else { "" };
    let height = status.height.get();
    let style = if height < highest { WARN } else { DIM };
    format!("{}{primary}{attacks} {}", sight.name, styled(style, height))
}

/// A committed block.
#[derive(Debug, Serialize)]
struct BlockLine {
    height: u64,
    block: String,
    state_root: String,
    transactions: u32,
    view: u64,
    proposer: u16,
    timestamp_ms: u64,
}

impl BlockLine {
    fn of(block: &BlockSummary) -> Self {
        Self {
            height: block.height.get(),
            block: block.block.to_string(),
            state_root: block.state_root.to_string(),
            transactions: block.transactions,
            view: block.view.get(),
            proposer: block.proposer,
            timestamp_ms: block.timestamp_ms,
        }
    }
}

impl Report for BlockLine {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let noun = if self.transactions == 1 { "transaction" } else { "transactions" };
        let short = |digest: &str| digest.chars().take(8).collect::<String>();
        writeln!(
            out,
            "height {}  {} {noun}  block {}  state {}  view {}  by node{}",
            self.height,
            self.transactions,
            short(&self.block),
            short(&self.state_root),
            self.view,
            self.proposer
        )
    }
}

#[cfg(test)]
mod tests;
