//! One side of a comparison: what a validator's directory or a file shows.

use std::fs;
use std::path::Path;

use api::hex;
use api::types::CertificateAnswer;
use api::types::scalar::wire::WIRE_BYTES_MAX;
use pbft::record::{Record, Retirement};
use storage::{Archive, EvidenceStore};
use types::block::{BlockId, Header};
use types::evidence::Evidence;
use types::forensics::Testimony;
use types::genesis::Genesis;
use types::number::Height;
use types::proof::{Proof, ProvedBlock};
use types::vote::Vote;

use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::stopped;

/// Blocks from a fork upwards whose certificates are looked at, on each side: the lowest is enough to name more
/// than t liars, the others may name more.
const BLOCKS_MAX: usize = 64;

/// Bytes of those blocks, with their bodies.
const BLOCKS_BYTES_MAX: usize = 64 << 20;

/// New views, from the view in which such a block was committed upwards, that are looked at on each side.
const NEW_VIEWS_MAX: usize = 256;

/// A block that somebody says is committed, with the proof.
#[derive(Debug, Clone)]
pub(super) struct Committed {
    /// Its header.
    pub(super) header: Header,
    /// What proves it.
    pub(super) proof: Proof,
}

/// What a directory or a file shows.
#[derive(Debug)]
pub(super) struct Side {
    name: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Directory { archive: Box<Archive>, evidence: Vec<Evidence> },
    File(Box<Committed>),
}

impl Side {
    /// Opens a path.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be read, is in use, or is of another network; [`Exit::Interrupted`] when told to end
    /// meanwhile.
    pub(super) fn open(
        path: &Path,
        genesis: &Genesis,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let name = path.display().to_string();
        if !path.is_dir() {
            let committed = read(path)?;
            return Ok(Self { name, source: Source::File(Box::new(committed)) });
        }
        let directory = stopped::validators_data(path)?;
        let wrong = |cause| Failure::fault(format!("cannot read {name}"), &cause);
        let archive = stopped::archive(&directory, genesis, interrupt)?.map_err(wrong)?;
        let evidence = EvidenceStore::read_stopped(&directory).map_err(wrong)?;
        let evidence = evidence.into_iter().map(|(piece, _)| piece).collect();
        let source = Source::Directory { archive: Box::new(archive), evidence };
        Ok(Self { name, source })
    }

    /// Its path.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The lowest height that it shows a block of.
    pub(super) fn lowest(&self) -> Height {
        match &self.source {
            Source::Directory { .. } => Height::GENESIS,
            Source::File(committed) => committed.header.height,
        }
    }

    /// The highest one.
    pub(super) fn highest(&self) -> Height {
        match &self.source {
            Source::Directory { archive, .. } => archive.store().committed(),
            Source::File(committed) => committed.header.height,
        }
    }

    /// The block at a height between them; `None` for the genesis block, which is the same for all.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be read.
    pub(super) fn id(&self, height: Height) -> Result<Option<BlockId>, Failure> {
        if height == Height::GENESIS {
            return Ok(None);
        }
        Ok(Some(self.committed(height)?.header.id()))
    }

    /// The same with its proof.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be read, and for the genesis block, which has no proof.
    pub(super) fn committed(&self, height: Height) -> Result<Committed, Failure> {
        match &self.source {
            Source::File(committed) => Ok((**committed).clone()),
            Source::Directory { archive, .. } => {
                let found = archive.store().block(height);
                let found = found.map_err(|cause| self.cannot_read(&cause))?;
                let proved = found.ok_or_else(|| {
                    let text = format!("{}: the block at height {height} is missing", self.name);
                    Failure::new(Exit::Fault, text)
                })?;
                Ok(Committed { header: proved.block.header.clone(), proof: proved.proof.clone() })
            }
        }
    }

    /// Adds everything signed that it holds about a fork at this height.
    ///
    /// # Errors
    ///
    /// Fails when a block cannot be read.
    pub(super) fn testify(&self, from: Height, testimony: &mut Testimony) -> Result<(), Failure> {
        match &self.source {
            Source::File(committed) => testimony.proof(&committed.header, &committed.proof),
            Source::Directory { archive, evidence } => {
                let blocks = archive.store().blocks(from, BLOCKS_BYTES_MAX);
                let blocks = blocks.map_err(|cause| self.cannot_read(&cause))?;
                for proved in blocks.iter().take(BLOCKS_MAX) {
                    testimony.proof(&proved.block.header, &proved.proof);
                    if let Some(piece) = proved.block.body.evidence() {
                        testimony.evidence(piece);
                    }
                }
                let views = blocks.iter().map(|proved| proved.proof.certificate.statement.view);
                if let Some(lowest) = views.min() {
                    let kept = archive.store().new_views(lowest, NEW_VIEWS_MAX);
                    let kept = kept.map_err(|cause| self.cannot_read(&cause))?;
                    kept.iter().for_each(|new_view| testimony.new_view(new_view));
                }
                evidence.iter().for_each(|piece| testimony.evidence(piece));
                let votes: Vec<Vote> =
                    archive.records().iter().filter_map(Record::vote).copied().collect();
                testimony.votes(&votes);
                archive.records().iter().for_each(|record| testify(record, testimony));
            }
        }
        Ok(())
    }

    fn cannot_read(&self, cause: &dyn std::error::Error) -> Failure {
        Failure::fault(format!("cannot read {}", self.name), cause)
    }
}

/// Adds what a journal's record holds, but for the votes, which are checked all at once.
fn testify(record: &Record, testimony: &mut Testimony) {
    match record {
        Record::Vote { vote: _, block: Some(block) } => testimony.header(&block.header),
        Record::Certificate { certificate } => testimony.certificate(certificate),
        Record::ViewChange { view_change } => testimony.view_change(view_change),
        Record::NewView { new_view } => testimony.new_view(new_view),
        Record::Retired { reason: Retirement::Vote(vote) } => testimony.votes(&[*vote]),
        // What is left of these has no signature.
        Record::Retired {
            reason:
                Retirement::ViewChange(_)
                | Retirement::NewView(_)
                | Retirement::Evidence(_)
                | Retirement::JournalGone,
        }
        | Record::Vote { vote: _, block: None }
        | Record::Left { .. } => {}
    }
}

/// Reads a file with a block and its proof: wire bytes as text, or the JSON of a certificate.
fn read(path: &Path) -> Result<Committed, Failure> {
    let text = fs::read_to_string(path).map_err(|cause| Failure::file("read", path, &cause))?;
    let text = text.trim();
    let wrong = |cause: &dyn std::error::Error| {
        Failure::fault(format!("{} holds no block with its proof", path.display()), cause).with_hint(
            "an answer of GET /v1/blocks/{block}/wire or GET /v1/blocks/{block}/certificate is one",
        )
    };
    if text.starts_with('{') {
        let answer: CertificateAnswer =
            serde_json::from_str(text).map_err(|cause| wrong(&cause))?;
        return Ok(Committed { header: answer.header, proof: answer.proof });
    }
    let proved: ProvedBlock =
        hex::from_hex_wire(text, WIRE_BYTES_MAX).map_err(|cause| wrong(&cause))?;
    Ok(Committed { header: proved.block.header, proof: proved.proof })
}
