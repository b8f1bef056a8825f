//! `testnet turn`, and what `testnet up --adversary` has in common with it: validators become adversaries, no more than
//! the network tolerates unless that is what somebody wants to see.

use types::quorum::Quorum;

use super::control::{start_them, warn_of_killed};
use super::{Deed, Deeds};
use crate::cli::{TurnArguments, UpArguments};
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::testnet::attacks::{self, Adversary, Attacks};
use crate::testnet::layout::{Kind, Layout};
use crate::testnet::{Testnet, VALIDATORS_DEFAULT, stop};

/// Stops a validator, where it runs, and starts it again as something else, with the same key and directory.
///
/// # Errors
///
/// [`Exit::Usage`] when there is no such attack, [`Exit::Refused`] when there would be too many adversaries: nothing
/// is done then. Else as [`stop::stop`] and [`start_them`].
pub(super) fn turn(
    testnet: &Testnet,
    arguments: &TurnArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let TurnArguments { node, attacks, break_safety } = arguments;
    let node = testnet.node(*node)?;
    attacks.check()?;
    let quorum = testnet.genesis.validators().quorum();
    let others = testnet.nodes().into_iter().filter(|other| *other != node);
    let mut count = usize::from(!attacks.is_honest());
    for other in others {
        count = count.saturating_add(usize::from(!Attacks::of(&other)?.is_honest()));
    }
    // Who becomes honest is welcome, however many others do not.
    if !attacks.is_honest() {
        attacks::must_be_tolerated(count, quorum, *break_safety)?;
    }
    let ends = stop::stop(std::slice::from_ref(&node), &Interrupt::never())?;
    warn_of_killed(&ends, output);
    attacks.give(&node)?;
    if ends.is_empty() {
        let mut deeds = Deeds::default();
        deeds.validators.push(Deed::of(&node, "down", attacks));
        output.result(&deeds)?;
        return Ok(Exit::Done);
    }
    start_them(testnet, &[node], output)
}

/// Says why a testnet does not come up with these adversaries, before anything is changed.
///
/// # Errors
///
/// [`Exit::Usage`] when one is named twice or there is no such attack, [`Exit::NotFound`] when there is no such
/// validator, [`Exit::Refused`] when one runs already as something else or there are too many.
pub(super) fn check(layout: &Layout, arguments: &UpArguments) -> Result<(), Failure> {
    let there = match layout.kind()? {
        Kind::Testnet | Kind::Damaged if !arguments.reset => Some(Testnet::open(layout.clone())?),
        Kind::Testnet | Kind::Damaged | Kind::Nothing | Kind::Remains | Kind::Other { .. } => None,
    };
    let validators = match &there {
        Some(testnet) => testnet.genesis.validators().len(),
        None => arguments.validators.unwrap_or(VALIDATORS_DEFAULT),
    };
    let mut roles = vec![Attacks::default(); validators];
    if let Some(testnet) = &there {
        for (node, role) in testnet.nodes().iter().zip(&mut roles) {
            *role = Attacks::of(node)?;
        }
    }
    let before = roles.clone();
    attacks::cast(&mut roles, &arguments.adversaries)?;
    for Adversary { node, attacks } in arguments.adversaries.iter().filter(|_| there.is_some()) {
        let role = before.get(*node).cloned().unwrap_or_default();
        if role != *attacks && layout.node(*node).process()?.is_some() {
            return Err(Failure::refused(format!("node{node} runs already, {role}")).with_hint(
                format!("`logothete testnet turn node{node} {attacks}` changes what runs"),
            ));
        }
    }
    let count = roles.iter().filter(|role| !role.is_honest()).count();
    attacks::must_be_tolerated(count, Quorum::of(validators), arguments.break_safety)
}

/// Lets the validators of a testnet be what the arguments say.
///
/// # Errors
///
/// Fails when it cannot be noted.
pub(super) fn give(testnet: &Testnet, arguments: &UpArguments) -> Result<(), Failure> {
    for Adversary { node, attacks } in &arguments.adversaries {
        attacks.give(&testnet.node(*node)?)?;
    }
    Ok(())
}
