//! Where evidence is looked for: at running validators, or in the directory of a stopped one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use api::backend::KeptEvidence;
use api::client::Client;
use api::client::error::ClientError;
use api::types::EvidenceSummary;
use storage::EvidenceStore;
use types::evidence::{Evidence, EvidenceId};
use types::genesis::Genesis;
use types::replica::ReplicaId;

use super::validator::Validator;
use super::words::judge;
use crate::cli::evidence::EvidencePlace;
use crate::commands::status::PATIENCE;
use crate::failure::{Exit, Failure};
use crate::status::{self, Sight, Watch};
use crate::stopped;
use crate::testnet::Testnet;

/// More pieces than a validator keeps: one of each kind against each of 128.
const PIECES_MAX: usize = 1_024;

/// Where evidence is looked for, and what it is checked against.
#[derive(Debug)]
pub(crate) struct Place {
    genesis: Genesis,
    /// Whose word the genesis is, when it is not the user's own.
    word_of: Option<String>,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    /// By validators that answer, of so many.
    By { answering: Vec<Validator>, of: usize },
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
    pub(crate) fn find(place: &EvidencePlace) -> Result<Self, Failure> {
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
            let nodes = testnet.nodes();
            let replicas = nodes.iter().map(|node| u16::try_from(node.index()).ok());
            let replicas = replicas.map(|index| index.map(ReplicaId::new)).collect();
            let kept = Kept::by(Watch::new(nodes, PATIENCE).look()?, replicas)?;
            let genesis = named.map_or(Ok(testnet.genesis), stopped::read_genesis)?;
            return Ok(Self { genesis, word_of: None, kept });
        }
        let clients: Vec<_> = place.api.iter().map(|url| client(url)).collect::<Result<_, _>>()?;
        let unknown = vec![None; clients.len()];
        let kept = Kept::by(status::look_at(clients), unknown)?;
        if let Some(path) = named {
            return Ok(Self { genesis: stopped::read_genesis(path)?, word_of: None, kept });
        }
        let (name, genesis) = kept.genesis()?;
        Ok(Self { genesis, word_of: Some(name), kept })
    }

    /// The validators that answer.
    pub(crate) fn answering(&self) -> &[Validator] {
        match &self.kept {
            Kept::By { answering, .. } => answering,
            Kept::In { .. } => &[],
        }
    }

    /// What evidence is checked against.
    pub(crate) const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// What the check relies on, as a phrase.
    pub(crate) fn trust(&self) -> String {
        match &self.word_of {
            None => format!("the genesis of chain {}", self.genesis.chain()),
            Some(name) => format!(
                "the genesis of chain {} that {name} gave: name your own with --genesis",
                self.genesis.chain()
            ),
        }
    }

    /// Every piece that holds, with who keeps it. A validator that lists what does not hold, or does not answer,
    /// hides nothing that others keep: it is told of beside them.
    ///
    /// # Errors
    ///
    /// [`Exit::Unreachable`] when nobody lists anything at all.
    pub(crate) fn pieces(&self) -> Result<Listed, Failure> {
        let mut listed = Listed::default();
        match &self.kept {
            Kept::In { pieces, directory } => {
                let keeper = vec![directory.display().to_string()];
                for (piece, stored_ms) in pieces {
                    match judge(piece, &self.genesis) {
                        Ok(()) => {
                            listed.pieces.push((self.summary(piece, *stored_ms), keeper.clone()))
                        }
                        Err(reason) => listed.problem(&keeper, &piece.id(), &reason),
                    }
                }
            }
            Kept::By { answering, .. } => {
                for (id, keepers) in self.ids(answering, &mut listed.problems)? {
                    let names: Vec<String> =
                        keepers.iter().map(|keeper| keeper.name.clone()).collect();
                    match self.read_from(&keepers, &id) {
                        Ok((piece, stored_ms)) => {
                            listed.pieces.push((self.summary(&piece, stored_ms), names));
                        }
                        Err(reason) => listed.problem(&names, &id, &reason),
                    }
                }
            }
        }
        Ok(listed)
    }

    fn summary(&self, piece: &Evidence, stored_ms: Option<u64>) -> EvidenceSummary {
        let outline = piece.outline(self.genesis.validators());
        EvidenceSummary::new(&self.genesis, &KeptEvidence { outline, stored_ms })
    }

    /// What each of them lists, with who lists it.
    fn ids<'a>(
        &self,
        answering: &'a [Validator],
        problems: &mut Vec<String>,
    ) -> Result<BTreeMap<EvidenceId, Vec<&'a Validator>>, Failure> {
        let mut ids: BTreeMap<EvidenceId, Vec<&Validator>> = BTreeMap::new();
        for validator in answering {
            let (all, end) = listed(validator);
            all.into_iter().for_each(|id| ids.entry(id).or_default().push(validator));
            if let Err(cause) = end {
                problems.push(format!("{} does not list its evidence: {cause}", validator.name));
            }
        }
        if !ids.is_empty() || problems.len() < answering.len() {
            return Ok(ids);
        }
        Err(Failure::new(Exit::Unreachable, problems.join("; ")))
    }

    /// The first whole piece with this id that one of them gives.
    fn read_from(
        &self,
        keepers: &[&Validator],
        id: &EvidenceId,
    ) -> Result<(Evidence, Option<u64>), String> {
        let mut reason = "it cannot be had".to_owned();
        for keeper in keepers {
            // A validator may answer with anything; the id is the hash of what was asked for.
            let answer = keeper.ask(|client| client.evidence_piece(id)).ok().flatten();
            let Some(answer) = answer.filter(|answer| answer.evidence.id() == *id) else {
                continue;
            };
            match judge(&answer.evidence, &self.genesis) {
                Ok(()) => return Ok((answer.evidence, answer.summary.stored_ms)),
                Err(fails) => reason = fails,
            }
        }
        Err(reason)
    }

    /// Who was asked, as a phrase.
    pub(crate) fn asked(&self) -> String {
        match &self.kept {
            Kept::In { directory, .. } => directory.display().to_string(),
            Kept::By { answering, of } => format!("{} of {of} validators answer", answering.len()),
        }
    }

    /// The piece whose id begins so, and when it was stored. Whether a directory's piece holds is not asked;
    /// validators give only what does.
    ///
    /// # Errors
    ///
    /// [`Exit::NotFound`] when there is none, [`Exit::Usage`] when several ids begin so; [`Exit::Fault`] when
    /// what validators list does not hold.
    pub(crate) fn piece(&self, beginning: &str) -> Result<(Evidence, Option<u64>), Failure> {
        let begins = |id: &EvidenceId| id.to_string().starts_with(beginning);
        match &self.kept {
            Kept::In { pieces, .. } => {
                let found = pieces.iter().filter(|(piece, _)| begins(&piece.id()));
                Ok(self.only(beginning, found.collect())?.clone())
            }
            Kept::By { answering, .. } => {
                let ids = self.ids(answering, &mut Vec::new())?;
                let found = ids.iter().filter(|(id, _)| begins(id)).collect();
                let (id, keepers) = self.only(beginning, found)?;
                self.read_from(keepers, id).map_err(|reason| {
                    let text = format!("evidence {id} is listed and does not hold: {reason}");
                    Failure::new(Exit::Fault, text)
                })
            }
        }
    }

    /// The one that was found, if it is one.
    fn only<T: Copy>(&self, beginning: &str, found: Vec<T>) -> Result<T, Failure> {
        match found.as_slice() {
            [one] => Ok(*one),
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
}

/// What is kept.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// Pieces that hold, each with who keeps it.
    pub(crate) pieces: Vec<(EvidenceSummary, Vec<String>)>,
    /// Who did not answer, or lists what does not hold.
    pub(crate) problems: Vec<String>,
}

impl Listed {
    fn problem(&mut self, keepers: &[String], id: &EvidenceId, reason: &str) {
        let (keepers, id) = (keepers.join(", "), id.short());
        self.problems.push(format!("{keepers}: evidence {id} does not hold: {reason}"));
    }
}

impl Kept {
    /// What the validators keep that answer, each with which one it is, when that is known.
    fn by(sights: Vec<Sight>, replicas: Vec<Option<ReplicaId>>) -> Result<Self, Failure> {
        let of = sights.len();
        let answering: Vec<Validator> = sights
            .into_iter()
            .zip(replicas)
            .filter(|(sight, _)| sight.status.is_some())
            .filter_map(|(sight, replica)| {
                let client = sight.client?;
                // What one calls itself may be the name of another.
                let name = replica.map_or_else(|| client.url().to_owned(), |_| sight.name);
                Some(Validator::new(name, replica, client, PATIENCE))
            })
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
        let Some(validator) = answering.first() else {
            return Err(Failure::new(Exit::Unreachable, "no validator answers"));
        };
        let name = &validator.name;
        let text = validator.ask(Client::genesis_text).map_err(|cause| asking(name, &cause))?;
        let genesis = Genesis::parse(&text).map_err(|errors| {
            Failure::new(Exit::Fault, format!("the genesis that {name} gives: {errors}"))
        })?;
        Ok((name.clone(), genesis))
    }
}

/// What a validator lists, and how its list ended.
fn listed(validator: &Validator) -> (Vec<EvidenceId>, Result<(), ClientError>) {
    let mut all = Vec::new();
    let end = validator.list(
        PIECES_MAX,
        |client, after, count| {
            let page = client.evidence(after, count)?;
            Ok((page.evidence.into_iter().map(|piece| piece.id).collect(), page.next))
        },
        |next, after| next > after,
        |ids| all.extend(ids),
    );
    (all, end)
}

fn client(url: &str) -> Result<Client, Failure> {
    Client::new(url)
        .map(|client| client.with_timeout(PATIENCE))
        .map_err(|cause| Failure::new(Exit::Usage, cause.to_string()))
}

fn asking(name: &str, cause: &dyn std::error::Error) -> Failure {
    Failure::fault(format!("cannot ask {name} for evidence"), cause)
}

#[cfg(test)]
mod tests;
