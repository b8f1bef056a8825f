//! Where evidence is looked for: at running validators, or in the directory of a stopped one.

use std::path::PathBuf;

use api::client::Client;
use api::types::EvidenceSummary;
use storage::EvidenceStore;
use types::evidence::{Evidence, EvidenceId};
use types::genesis::Genesis;

use crate::cli::evidence::EvidencePlace;
use crate::commands::status::PATIENCE;
use crate::failure::{Exit, Failure};
use crate::status::{self, Sight, Watch};
use crate::stopped;
use crate::testnet::Testnet;

/// Pieces in a page that is asked for.
const PAGE: u32 = 100;

/// More pieces than a validator keeps: one of each kind against each of 128.
const PIECES_MAX: usize = 1_024;

/// Where evidence is looked for, and what it is checked against.
#[derive(Debug)]
pub(super) struct Place {
    genesis: Genesis,
    /// Whose word the genesis is, when it is not the user's own.
    word_of: Option<String>,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    /// By validators that answer, of so many.
    By { answering: Vec<(String, Client)>, of: usize },
    /// In a directory.
    In { pieces: Vec<(Evidence, Option<u64>)>, directory: PathBuf },
}

impl Place {
    /// The place that the command line names.
    ///
    /// # Errors
    ///
    /// [`Exit::NotFound`] when there is no network or no genesis, [`Exit::Unreachable`] when no
    /// validator answers, [`Exit::Usage`] for a URL that is none; fails when a directory cannot be
    /// read.
    pub(super) fn find(place: &EvidencePlace) -> Result<Self, Failure> {
        let named = place.genesis.as_deref();
        if let Some(data) = &place.data {
            let directory = stopped::data_directory(data);
            let genesis = stopped::genesis(named, &directory)?;
            let pieces = EvidenceStore::read_stopped(&directory)
                .map_err(|cause| Failure::fault("cannot read the evidence", &cause))?;
            return Ok(Self { genesis, word_of: None, kept: Kept::In { pieces, directory } });
        }
        if place.api.is_empty() {
            let testnet = Testnet::find(place.dir.as_deref())?;
            let kept = Kept::by(Watch::new(testnet.nodes(), PATIENCE).look()?)?;
            let genesis = named.map_or(Ok(testnet.genesis), stopped::read_genesis)?;
            return Ok(Self { genesis, word_of: None, kept });
        }
        let clients = place.api.iter().map(|url| client(url)).collect::<Result<_, _>>()?;
        let kept = Kept::by(status::look_at(clients))?;
        if let Some(path) = named {
            return Ok(Self { genesis: stopped::read_genesis(path)?, word_of: None, kept });
        }
        let (name, genesis) = kept.genesis()?;
        Ok(Self { genesis, word_of: Some(name), kept })
    }

    /// What evidence is checked against.
    pub(super) const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// What the check relies on, as a phrase.
    pub(super) fn trust(&self) -> String {
        match &self.word_of {
            None => format!("the genesis of chain {}", self.genesis.chain()),
            Some(name) => format!(
                "the genesis of chain {} that {name} gave: name your own with --genesis",
                self.genesis.chain()
            ),
        }
    }

    /// Every piece, with who keeps it, by whoever answers first.
    ///
    /// # Errors
    ///
    /// Fails when a validator stops answering.
    pub(super) fn pieces(&self) -> Result<Vec<(EvidenceSummary, String)>, Failure> {
        match &self.kept {
            Kept::In { pieces, directory } => {
                let keeper = directory.display().to_string();
                let summaries = pieces.iter().map(|(piece, stored_ms)| {
                    let outline = piece.outline(self.genesis.validators());
                    let kept = api::backend::KeptEvidence { outline, stored_ms: *stored_ms };
                    (EvidenceSummary::new(&self.genesis, &kept), keeper.clone())
                });
                Ok(summaries.collect())
            }
            Kept::By { answering, .. } => {
                let mut pieces = Vec::new();
                for (name, client) in answering {
                    let listed = listed(client).map_err(|cause| asking(name, &cause))?;
                    pieces.extend(listed.into_iter().map(|piece| (piece, name.clone())));
                }
                Ok(pieces)
            }
        }
    }

    /// Who was asked, as a phrase.
    pub(super) fn asked(&self) -> String {
        match &self.kept {
            Kept::In { directory, .. } => directory.display().to_string(),
            Kept::By { answering, of } => format!("{} of {of} validators answer", answering.len()),
        }
    }

    /// The piece whose id begins so, and when it was stored.
    ///
    /// # Errors
    ///
    /// [`Exit::NotFound`] when there is none, [`Exit::Usage`] when several ids begin so.
    pub(super) fn piece(&self, beginning: &str) -> Result<(Evidence, Option<u64>), Failure> {
        let pieces = self.pieces()?;
        let begins = |id: &EvidenceId| id.to_string().starts_with(beginning);
        let mut found: Vec<EvidenceId> =
            pieces.iter().map(|(piece, _)| piece.id).filter(begins).collect();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [id] => self.read(id),
            [] => Err(Failure::new(
                Exit::NotFound,
                format!("no evidence {beginning} is kept: {}", self.asked()),
            )
            .with_hint("`logothete evidence` lists what there is")),
            [_, ..] => Err(Failure::new(
                Exit::Usage,
                format!("{} pieces of evidence begin with {beginning}", found.len()),
            )
            .with_hint("give more digits of the id")),
        }
    }

    fn read(&self, id: &EvidenceId) -> Result<(Evidence, Option<u64>), Failure> {
        match &self.kept {
            Kept::In { pieces, .. } => {
                let found = pieces.iter().find(|(piece, _)| piece.id() == *id).cloned();
                found.ok_or_else(|| gone(id))
            }
            Kept::By { answering, .. } => {
                for (name, client) in answering {
                    let answer = client.evidence_piece(id).map_err(|cause| asking(name, &cause))?;
                    // A validator may answer with anything; the id is the hash of what was asked for.
                    if let Some(answer) = answer.filter(|answer| answer.evidence.id() == *id) {
                        return Ok((answer.evidence, answer.summary.stored_ms));
                    }
                }
                Err(gone(id))
            }
        }
    }
}

impl Kept {
    /// What the validators keep that answer.
    fn by(sights: Vec<Sight>) -> Result<Self, Failure> {
        let of = sights.len();
        let answering: Vec<(String, Client)> = sights
            .into_iter()
            .filter(|sight| sight.status.is_some())
            .filter_map(|sight| Some((sight.name, sight.client?)))
            .collect();
        if answering.is_empty() {
            return Err(Failure::new(Exit::Unreachable, "no validator answers")
                .with_hint("`--data DIR` reads what a stopped validator keeps"));
        }
        Ok(Self::By { answering, of })
    }

    /// The genesis that the first of them gives, and its name.
    fn genesis(&self) -> Result<(String, Genesis), Failure> {
        let Self::By { answering, .. } = self else {
            return Err(Failure::new(Exit::NotFound, "no validator was asked"));
        };
        let Some((name, client)) = answering.first() else {
            return Err(Failure::new(Exit::Unreachable, "no validator answers"));
        };
        let text = client.genesis_text().map_err(|cause| asking(name, &cause))?;
        let genesis = Genesis::parse(&text).map_err(|errors| {
            Failure::new(Exit::Fault, format!("the genesis that {name} gives: {errors}"))
        })?;
        Ok((name.clone(), genesis))
    }
}

/// All that a validator lists, page by page.
fn listed(client: &Client) -> Result<Vec<EvidenceSummary>, api::client::error::ClientError> {
    let mut all = Vec::new();
    let mut after = None;
    while all.len() < PIECES_MAX {
        let page = client.evidence(after, PAGE)?;
        all.extend(page.evidence);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(all)
}

fn client(url: &str) -> Result<Client, Failure> {
    Client::new(url)
        .map(|client| client.with_timeout(PATIENCE))
        .map_err(|cause| Failure::new(Exit::Usage, cause.to_string()))
}

fn asking(name: &str, cause: &dyn std::error::Error) -> Failure {
    Failure::fault(format!("cannot ask {name} for evidence"), cause)
}

fn gone(id: &EvidenceId) -> Failure {
    Failure::new(Exit::NotFound, format!("evidence {id} is listed and cannot be had"))
}
