//! What the comparison of two validators found.

use std::io::{self, Write};
use std::path::PathBuf;

use api::hex;
use serde::Serialize;
use types::block::BlockId;
use types::evidence::Evidence;
use types::forensics::culprits;
use types::genesis::Genesis;
use types::number::{Height, View};

use super::side::{Committed, Side};
use crate::output::{BAD, GOOD, Report, WARN, styled};
use crate::table::{self, Align};

/// Digits of an id that are shown in a row.
const ID_DIGITS: usize = 16;

/// Whether there is a fork, and who is guilty of it.
#[derive(Debug, Serialize)]
pub(super) struct ForensicsReport {
    /// Whether different blocks are committed at one height.
    fork: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<Agreement>,
    #[serde(flatten)]
    found: Option<Found>,
}

/// The highest block that both have.
#[derive(Debug, Serialize)]
pub(super) struct Agreement {
    paths: [String; 2],
    heights: [u64; 2],
    common_height: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<String>,
}

/// Two blocks that are committed at one height.
#[derive(Debug, Serialize)]
pub(super) struct Fork {
    height: u64,
    sides: [ForkSide; 2],
}

/// One of them.
#[derive(Debug, Serialize)]
struct ForkSide {
    path: String,
    block: String,
    certificate_view: u64,
    certificate_height: u64,
    signers: Vec<u16>,
}

/// A fork, and who is guilty of it.
#[derive(Debug, Serialize)]
struct Found {
    #[serde(flatten)]
    fork: Fork,
    n: usize,
    t: usize,
    /// How many must be guilty at least.
    guilty_min: usize,
    guilty: Vec<Culprit>,
    /// Views whose new view would name more.
    missing_new_views: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<Vec<PathBuf>>,
}

/// A validator whose key lied.
#[derive(Debug, Serialize)]
struct Culprit {
    replica: u16,
    name: String,
    key: String,
    evidence: Vec<Piece>,
}

/// A proof of it.
#[derive(Debug, Serialize)]
struct Piece {
    id: String,
    kind: &'static str,
    view: u64,
    heights: Vec<u64>,
    wrong: &'static str,
    evidence: String,
}

impl Agreement {
    /// Both have this block at this height; the genesis block has no id here.
    pub(super) fn new(sides: [&Side; 2], common: Height, block: Option<BlockId>) -> Self {
        Self {
            paths: sides.map(|side| side.name().to_owned()),
            heights: sides.map(|side| side.highest().get()),
            common_height: common.get(),
            block: block.map(|block| block.to_string()),
        }
    }
}

impl Fork {
    /// Each side with what it committed.
    pub(super) fn new(sides: [&Side; 2], committed: [&Committed; 2]) -> Self {
        let [one, other] = committed;
        let [first, second] = sides;
        let side = |side: &Side, committed: &Committed| {
            let certificate = &committed.proof.certificate;
            ForkSide {
                path: side.name().to_owned(),
                block: committed.header.id().to_string(),
                certificate_view: certificate.statement.view.get(),
                certificate_height: certificate.statement.height.get(),
                signers: certificate.replicas().map(|replica| replica.get()).collect(),
            }
        };
        Self { height: one.header.height.get(), sides: [side(first, one), side(second, other)] }
    }
}

impl ForensicsReport {
    /// There is none.
    pub(super) const fn agree(agreement: Agreement) -> Self {
        Self { fork: false, agreement: Some(agreement), found: None }
    }

    /// There is one, and these are the lies that were found.
    pub(super) fn fork(
        fork: Fork,
        lies: &[Evidence],
        genesis: &Genesis,
        missing: Vec<View>,
        saved: Option<Vec<PathBuf>>,
    ) -> Self {
        let quorum = genesis.validators().quorum();
        let guilty = culprits(lies, genesis.validators()).into_iter();
        let guilty = guilty.map(|replica| {
            let validator = genesis.validators().get(replica);
            let of = |lie: &&Evidence| lie.accused(genesis.validators()) == replica;
            Culprit {
                replica: replica.get(),
                name: validator.map(|validator| validator.name.clone()).unwrap_or_default(),
                key: validator.map(|validator| validator.key.to_string()).unwrap_or_default(),
                evidence: lies.iter().filter(of).map(Piece::new).collect(),
            }
        });
        let found = Found {
            fork,
            n: quorum.n(),
            t: quorum.t(),
            guilty_min: quorum.reply(),
            guilty: guilty.collect(),
            missing_new_views: missing.into_iter().map(View::get).collect(),
            saved,
        };
        Self { fork: true, agreement: None, found: Some(found) }
    }

    /// Whether there is one.
    pub(super) const fn is_fork(&self) -> bool {
        self.fork
    }
}

impl Piece {
    fn new(lie: &Evidence) -> Self {
        Self {
            id: lie.id().to_string(),
            kind: lie.name(),
            view: lie.view().get(),
            heights: lie.heights().into_iter().map(Height::get).collect(),
            wrong: lie.wrong(),
            evidence: hex::to_hex_wire(lie),
        }
    }
}

impl Report for ForensicsReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        match (&self.agreement, &self.found) {
            (Some(agreement), _) => agreement.text(out),
            (None, Some(found)) => found.text(out),
            (None, None) => Ok(()),
        }
    }
}

impl Agreement {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let [first, second] = &self.paths;
        writeln!(out, "{}: {first} and {second} agree", styled(GOOD, "no fork"))?;
        writeln!(out, "  common height  {}", self.common_height)?;
        if let Some(block) = &self.block {
            writeln!(out, "  block          {block}")?;
        }
        for (path, height) in self.paths.iter().zip(self.heights) {
            if height > self.common_height {
                writeln!(out, "  {path} goes on to height {height}")?;
            }
        }
        Ok(())
    }
}

impl Found {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let heading = format!("FORK at height {}", self.fork.height);
        writeln!(out, "{}: both blocks are committed, each by a quorum", styled(BAD, heading))?;
        for side in &self.fork.sides {
            let signers: Vec<String> = side.signers.iter().map(u16::to_string).collect();
            writeln!(out, "  {}", side.path)?;
            writeln!(out, "    block {}", side.block)?;
            writeln!(
                out,
                "    commit certificate of view {}, height {}, signed by replicas {}",
                side.certificate_view,
                side.certificate_height,
                signers.join(", ")
            )?;
        }
        writeln!(
            out,
            "\nOf {} validators at most {} may be faulty; a fork takes at least {}.\n",
            self.n, self.t, self.guilty_min
        )?;
        self.culprits(out)?;
        self.verdict(out)?;
        if let Some(files) = &self.saved {
            for file in files {
                writeln!(out, "  saved {}", file.display())?;
            }
        }
        Ok(())
    }

    fn culprits(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = [
            ("GUILTY", Align::Left),
            ("KEY", Align::Left),
            ("KIND", Align::Left),
            ("VIEW", Align::Right),
            ("HEIGHTS", Align::Left),
            ("EVIDENCE", Align::Left),
        ];
        let short = |text: &str| text.chars().take(ID_DIGITS).collect::<String>();
        let rows = self.guilty.iter().flat_map(|culprit| {
            culprit.evidence.iter().map(move |piece| {
                let heights: Vec<String> = piece.heights.iter().map(u64::to_string).collect();
                vec![
                    culprit.name.clone(),
                    short(&culprit.key),
                    piece.kind.to_owned(),
                    piece.view.to_string(),
                    heights.join(", "),
                    short(&piece.id),
                ]
            })
        });
        let rows: Vec<Vec<String>> = rows.collect();
        if rows.is_empty() { Ok(()) } else { table::write(out, &columns, &rows) }
    }

    fn verdict(&self, out: &mut dyn Write) -> io::Result<()> {
        let guilty: Vec<&str> = self.guilty.iter().map(|culprit| culprit.name.as_str()).collect();
        if guilty.len() >= self.guilty_min {
            let verdict = styled(BAD, format!("{} lied", guilty.join(", ")));
            return writeln!(out, "\n  {verdict}, proved to anybody who has the genesis");
        }
        let (named, needed) = (guilty.len(), self.guilty_min);
        let verdict = styled(WARN, format!("only {named} of at least {needed} liars can be named"));
        writeln!(out, "\n  {verdict} from what is here")?;
        if self.missing_new_views.is_empty() {
            return writeln!(out, "  add the directories of further validators");
        }
        let views: Vec<String> = self.missing_new_views.iter().map(u64::to_string).collect();
        writeln!(
            out,
            "  nobody here holds the new view of view {}: add the directory of a validator that entered it",
            views.join(", ")
        )
    }
}
