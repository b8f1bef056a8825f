//! Whether what several validators say fits together.
//!
//! Validators commit at slightly different moments, so they are compared at the lowest height that
//! an answering one has: the others are asked for their block there. Two that name different blocks
//! for one height contradict each other, whatever the reason. What a known adversary says is not
//! compared: it proves nothing against the others.

use api::client::Client;
use api::types::{BlockName, Status};
use types::number::Height;

use crate::status::Sight;

/// What comes out of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// Nobody answers.
    Nobody,
    /// Everybody who answers has this block at this height.
    Agree {
        /// The lowest height of those that answer.
        height: u64,
        /// The block there.
        block: String,
        /// The state root after it.
        state_root: String,
        /// How many were compared.
        validators: usize,
    },
    /// Two of them contradict each other.
    Contradict {
        /// What about.
        what: String,
    },
}

/// What a validator has at a height.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    name: String,
    chain: String,
    block: String,
    state_root: String,
}

/// Compares those that answer. One that stops answering in between is left out.
pub(crate) fn compare(sights: &[Sight]) -> Agreement {
    let answering: Vec<(&Status, Option<&Client>)> = sights
        .iter()
        .filter(|sight| sight.attacks.is_honest())
        .filter_map(|sight| Some((sight.status.as_ref()?, sight.client.as_ref())))
        .collect();
    let Some(lowest) = answering.iter().map(|(status, _)| status.height).min() else {
        return Agreement::Nobody;
    };
    let claims: Vec<Claim> =
        answering.iter().filter_map(|(status, client)| claim(status, *client, lowest)).collect();
    judge(lowest, &claims)
}

fn claim(status: &Status, client: Option<&Client>, height: Height) -> Option<Claim> {
    let (block, state_root) = if status.height == height {
        (status.block, status.state_root)
    } else {
        let answer = client?.block(BlockName::Height(height)).ok()??;
        (answer.summary.block, answer.summary.state_root)
    };
    Some(Claim {
        name: status.name.clone(),
        chain: status.chain.to_string(),
        block: block.to_string(),
        state_root: state_root.to_string(),
    })
}

fn judge(height: Height, claims: &[Claim]) -> Agreement {
    let Some(first) = claims.first() else { return Agreement::Nobody };
    for other in claims {
        let differences = [
            ("chain", &first.chain, &other.chain),
            ("block", &first.block, &other.block),
            ("state root", &first.state_root, &other.state_root),
        ];
        for (what, ours, theirs) in differences {
            if ours != theirs {
                let what = format!(
                    "{what} at height {height}: {} has {ours}, {} has {theirs}",
                    first.name, other.name
                );
                return Agreement::Contradict { what };
            }
        }
    }
    Agreement::Agree {
        height: height.get(),
        block: first.block.clone(),
        state_root: first.state_root.clone(),
        validators: claims.len(),
    }
}

#[cfg(test)]
mod tests;
