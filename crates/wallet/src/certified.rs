//! Accounts as a quorum certified them. What validators claim beside that is a hint.

use std::time::Instant;

use api::types::AccountAnswer;
use types::{Account, Address, BlockId, Genesis, Height, Nonce, ReplicaId};

use crate::ask::{Answer, ask_all, nobody_answered};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::site::Site;

/// An account in a state that a quorum of the genesis signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certified {
    /// The account.
    pub(crate) account: Account,
    /// The height after which it was so; the newest that any validator proved.
    pub(crate) height: Height,
    /// The block at that height.
    pub(crate) block: BlockId,
    /// The nonce that the next transaction should have. A hint: pools are not certified.
    pub(crate) next_nonce: Nonce,
    /// Who signed the certificate; nobody where the genesis itself says it.
    pub(crate) signers: Vec<ReplicaId>,
}

/// Asks all validators for an account, until the deadline, and believes the newest proof; `None`
/// when the account does not exist.
///
/// Nobody can prove that an account does not exist, or that a proof is the newest there is: both
/// are as good as the best of the validators asked.
///
/// # Errors
/// [`Exit::Unreachable`] when nobody answers, [`Exit::Unverified`] when no answer verifies.
pub(crate) fn account(
    site: &Site,
    address: &Address,
    deadline: Instant,
    output: &mut Output,
) -> Result<Option<Certified>, Failure> {
    let text = address.to_text(site.genesis().prefix());
    let answers = ask_all(site, deadline, move |client| client.account(&text))?;
    judge(site.genesis(), address, &answers, output)
}

fn judge(
    genesis: &Genesis,
    address: &Address,
    answers: &[Answer<Option<AccountAnswer>>],
    output: &mut Output,
) -> Result<Option<Certified>, Failure> {
    let (mut proved, mut absent, mut liars) = (Vec::new(), 0_usize, Vec::new());
    for Answer { name, answer } in answers {
        match answer {
            Ok(Some(answer)) => match check(genesis, address, answer) {
                Ok(certified) => proved.push(certified),
                Err(cause) => liars.push(format!("{name}: {cause}")),
            },
            Ok(None) => absent = absent.saturating_add(1),
            Err(_) => {}
        }
    }
    for liar in &liars {
        output.warning(format!("an answer does not verify: {liar}"));
    }
    let Some(newest) = proved.iter().max_by_key(|certified| certified.height) else {
        return nothing_proved(answers, absent, &liars);
    };
    let rival = |other: &&Certified| other.height == newest.height && other.block != newest.block;
    if let Some(rival) = proved.iter().find(rival) {
        return Err(Failure::new(
            Exit::Unverified,
            "fork",
            format!(
                "two blocks are certified at height {}: {} and {}; more validators are faulty \
                 than the network tolerates",
                newest.height, newest.block, rival.block
            ),
        ));
    }
    let next_nonce = agreed_nonce(genesis, &proved).max(newest.account.nonce);
    Ok(Some(Certified { next_nonce, ..newest.clone() }))
}

fn nothing_proved(
    answers: &[Answer<Option<AccountAnswer>>],
    absent: usize,
    liars: &[String],
) -> Result<Option<Certified>, Failure> {
    if !liars.is_empty() {
        let text = "no validator proved what it answered";
        return Err(Failure::new(Exit::Unverified, "unverified", text));
    }
    if absent == 0 {
        return Err(nobody_answered(answers.iter().filter_map(|a| a.answer.as_ref().err())));
    }
    Ok(None)
}

/// Checks one answer.
///
/// # Errors
/// A lowercase phrase.
pub(crate) fn check(
    genesis: &Genesis,
    address: &Address,
    answer: &AccountAnswer,
) -> Result<Certified, String> {
    let (height, account) = answer.verify(genesis, address).map_err(|cause| cause.to_string())?;
    let header = answer.proof.as_ref().map_or(genesis.header(), |proof| &proof.header);
    let certificate = answer.proof.as_ref().map(|proof| &proof.proof.certificate);
    let signers = certificate.map_or_else(Vec::new, |signed| signed.replicas().collect());
    let next_nonce = answer.next_nonce;
    Ok(Certified { account, height, block: header.id(), next_nonce, signers })
}

/// The (t + 1)-th highest claim. One of the t + 1 highest is an honest validator's, so no group of
/// liars can push it above what an honest pool holds and make the transaction wait for a gap.
fn agreed_nonce(genesis: &Genesis, proved: &[Certified]) -> Nonce {
    let mut claims: Vec<Nonce> = proved.iter().map(|certified| certified.next_nonce).collect();
    claims.sort_unstable_by(|a, b| b.cmp(a));
    let t = genesis.validators().quorum().t();
    claims.get(t).or(claims.last()).copied().unwrap_or(Nonce::FIRST)
}
