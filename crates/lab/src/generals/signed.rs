//! SM(m), section 4 of the paper.
//!
//! The commander signs his order, and whoever passes it on for the first time signs what he was shown. So a path cannot
//! be invented: of what a loyal general has signed, nothing can be taken away or changed. The traitors know all that any
//! of them was shown and sign for one another; what they still cannot make they forge, and it is refused.
//!
//! A message of round r has r signatures. In the paper a lieutenant knows from the time when to wait no longer; here one
//! that comes in another round than its own is refused, which is the same rule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crypto::digest::Digest;
use crypto::keys::{Signature, Signer};
use crypto::verify::Claim;

use super::lies::Liar;
use super::{Battle, COMMANDER, Decision, Order, Refused, Sent};
use crate::keys::{Owner, SignerKind, Verifier};

/// An order with its signatures, in the order in which they were given.
#[derive(Debug, Clone)]
struct Dispatch {
    order: Order,
    seals: Vec<(u16, Signature)>,
}

/// Signs and checks.
struct Seals {
    signers: Vec<Arc<dyn Signer>>,
    verifier: Verifier,
}

/// How the battle stands.
struct Field<'a> {
    battle: &'a Battle,
    seals: Seals,
    messages: Vec<Sent>,
    /// The orders that each loyal lieutenant has seen signed.
    seen: BTreeMap<u16, BTreeSet<Order>>,
    /// What each loyal lieutenant passes on in the next round.
    fresh: Vec<(u16, Dispatch)>,
    /// Everything that traitors were shown or have signed as commander.
    pool: Vec<Dispatch>,
}

pub(super) fn fight(
    battle: &Battle,
    liar: &mut Liar,
    signer: SignerKind,
) -> (Vec<Sent>, Vec<Decision>) {
    let mut field = Field {
        battle,
        seals: Seals::new(battle.n, signer),
        messages: Vec::new(),
        seen: battle.loyal_lieutenants().map(|it| (it, BTreeSet::new())).collect(),
        fresh: Vec::new(),
        pool: Vec::new(),
    };
    field.command(liar);
    // A path has no general twice and ends before somebody, so there is none that is longer.
    let last = battle.m.saturating_add(1).min(battle.n.saturating_sub(1));
    for round in 2..=last {
        for (lieutenant, dispatch) in std::mem::take(&mut field.fresh) {
            let dispatch = field.seals.seal(dispatch, lieutenant, lieutenant);
            for to in battle.others(&dispatch.path()) {
                field.show(round, to, &dispatch, false);
            }
        }
        for traitor in battle.traitors.iter().filter(|traitor| **traitor != COMMANDER) {
            field.betray(liar, round, *traitor);
        }
    }
    (field.messages, field.seen.into_iter().map(decide).collect())
}

/// The paper's choice: the order if there is exactly one, else retreat.
fn decide((lieutenant, seen): (u16, BTreeSet<Order>)) -> Decision {
    let weighed: Vec<Order> = seen.into_iter().collect();
    let order = match weighed.as_slice() {
        [one] => *one,
        [] | [..] => Order::Retreat,
    };
    Decision { lieutenant, weighed, order }
}

impl Field<'_> {
    /// The first round. A commander who lies signs this, that, both or nothing for each.
    fn command(&mut self, liar: &mut Liar) {
        let battle = self.battle;
        let lies = battle.lies(COMMANDER);
        for order in [battle.order, battle.order.opposite()] {
            let empty = Dispatch { order, seals: Vec::new() };
            let dispatch = self.seals.seal(empty, COMMANDER, COMMANDER);
            let lie = order != battle.order;
            if lies {
                self.pool.push(dispatch.clone());
            }
            for to in 1..battle.n {
                let by_the_book = lie == (to % 2 == 1);
                let tells = if lies && !battle.lies(to) { liar.choose(by_the_book) } else { !lie };
                if tells {
                    self.show(1, to, &dispatch, lie);
                }
            }
        }
    }

    /// Somebody is shown a dispatch.
    fn show(&mut self, round: u16, to: u16, dispatch: &Dispatch, lie: bool) {
        let refused = self.seals.refuse(round, to, dispatch).err();
        let path = dispatch.path();
        self.messages.push(Sent { round, path, to, order: dispatch.order, lie, refused });
        if refused.is_some() {
            return;
        }
        match self.seen.get_mut(&to) {
            Some(seen) => {
                if seen.insert(dispatch.order) {
                    self.fresh.push((to, dispatch.clone()));
                }
            }
            None => self.pool.push(dispatch.clone()),
        }
    }

    /// A traitor shows each loyal lieutenant each of the two orders, or does not.
    fn betray(&mut self, liar: &mut Liar, round: u16, traitor: u16) {
        let battle = self.battle;
        for to in battle.loyal_lieutenants() {
            for order in Order::ALL {
                if liar.choose(order != battle.order) {
                    let genuine = self.genuine(round, traitor, to, order);
                    let lie = genuine.is_none();
                    let dispatch =
                        genuine.unwrap_or_else(|| self.forged(round, traitor, to, order));
                    self.show(round, to, &dispatch, lie);
                }
            }
        }
    }

    /// A dispatch with this order that will be believed, if the traitors have what it takes: one that they were shown,
    /// with signatures of as many of them as are missing.
    fn genuine(&self, round: u16, traitor: u16, to: u16, order: Order) -> Option<Dispatch> {
        let length = usize::from(round).saturating_sub(1);
        self.pool.iter().find_map(|known| {
            let path = known.path();
            let fits = known.order == order && !path.contains(&traitor) && !path.contains(&to);
            let missing = length.checked_sub(path.len()).filter(|_| fits)?;
            let may_sign = |it: &&u16| **it != traitor && !path.contains(it) && **it != COMMANDER;
            let friends: Vec<u16> =
                self.battle.traitors.iter().filter(may_sign).take(missing).copied().collect();
            (friends.len() == missing).then(|| {
                let signers = friends.into_iter().chain([traitor]);
                signers.fold(known.clone(), |it, general| self.seals.seal(it, general, general))
            })
        })
    }

    /// A dispatch that looks right, with the traitor's own signature in place of all that are missing.
    fn forged(&self, round: u16, traitor: u16, to: u16, order: Order) -> Dispatch {
        let not = [COMMANDER, traitor, to];
        let bearers = self.battle.others(&not);
        let names = [COMMANDER].into_iter().chain(bearers);
        let names = names.take(usize::from(round).saturating_sub(1)).chain([traitor]);
        let empty = Dispatch { order, seals: Vec::new() };
        names.fold(empty, |it, name| self.seals.seal(it, name, traitor))
    }
}

impl Dispatch {
    fn path(&self) -> Vec<u16> {
        self.seals.iter().map(|(general, _)| *general).collect()
    }

    /// What the next general signs: the order and everything that was signed before.
    fn digest(order: Order, seals: &[(u16, Signature)]) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("logothete v1 lab general's order");
        hasher.update(&[u8::from(order == Order::Attack)]);
        for (general, signature) in seals {
            hasher.update(&general.to_le_bytes()).update(signature.as_bytes());
        }
        Digest::from_bytes(*hasher.finalize().as_bytes())
    }
}

impl Seals {
    fn new(n: u16, kind: SignerKind) -> Self {
        let signers = (0..n).map(|general| Owner::Replica(general).signer(kind)).collect();
        Self { signers, verifier: Verifier::new(kind) }
    }

    /// Adds a signature in somebody's name, made with somebody's key.
    fn seal(&self, mut dispatch: Dispatch, name: u16, key: u16) -> Dispatch {
        let digest = Dispatch::digest(dispatch.order, &dispatch.seals);
        if let Some(signer) = self.signers.get(usize::from(key)) {
            dispatch.seals.push((name, signer.sign(&digest)));
        }
        dispatch
    }

    /// Whether a dispatch that comes in this round is to be believed.
    fn refuse(&self, round: u16, to: u16, dispatch: &Dispatch) -> Result<(), Refused> {
        let path = dispatch.path();
        let different: BTreeSet<u16> = path.iter().copied().collect();
        let right = path.first() == Some(&COMMANDER)
            && path.len() == usize::from(round)
            && different.len() == path.len()
            && !different.contains(&to);
        if !right {
            return Err(Refused::Signers);
        }
        let mut before = Vec::new();
        for (general, signature) in &dispatch.seals {
            let message = Dispatch::digest(dispatch.order, &before);
            let key = Owner::Replica(*general).public_key();
            if !self.verifier.all_hold(&[Claim { key, message, signature: *signature }]) {
                return Err(Refused::Signature { general: *general });
            }
            before.push((*general, *signature));
        }
        Ok(())
    }
}
