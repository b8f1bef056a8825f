//! What is forged looks right up to the point where the truth is asked for.

use std::collections::BTreeSet;

use crypto::keys::SecretKey;
use crypto::signed::Unverified;
use types::genesis::GenesisBuilder;
use types::memo::Memo;
use types::peer_id;
use types::transaction::{Action, Transaction, Transfer};
use types::validators::Validator;

use super::*;
use crate::Random;

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number + 1; 32])
}

fn genesis() -> Arc<Genesis> {
    let mut builder = GenesisBuilder::local("forged");
    builder.validators = (0..4)
        .map(|number| Validator {
            name: format!("v{number}"),
            key: key(number).public_key(),
            peer_id: peer_id::of_key(&key(100 + number).public_key()),
        })
        .collect();
    builder.accounts.push((Address::Key(key(200).public_key()), Amount::new(1_000)));
    Arc::new(builder.build().unwrap())
}

fn forger(genesis: &Arc<Genesis>, number: u8) -> Forger {
    Forger::new(ReplicaId::new(number.into()), Arc::clone(genesis), Arc::new(key(number)))
}

fn transaction(genesis: &Genesis) -> SignedTransaction {
    let transaction = Transaction {
        chain: *genesis.chain(),
        sender: Address::Key(key(200).public_key()),
        nonce: Nonce::FIRST,
        valid_until: Height::new(9),
        action: Action::Transfer(Transfer {
            recipient: Address::Key(key(201).public_key()),
            amount: Amount::new(1),
            memo: Memo::default(),
        }),
    };
    SignedTransaction::sign(transaction, &key(200))
}

/// The block with the signatures of a quorum.
fn proved(genesis: &Genesis, mut block: ProvedBlock) -> ProvedBlock {
    let certificate = &mut block.proof.certificate;
    let sign = |number: u8| {
        let replica = ReplicaId::new(number.into());
        let vote = Vote::sign(certificate.statement, replica, genesis.chain(), &key(number));
        (replica, vote.signature)
    };
    certificate.signatures = (0..3).map(sign).collect();
    block
}

#[test]
fn every_name_is_found_once_and_no_replica_has_it() {
    let names: BTreeSet<&str> = CATALOGUE.iter().map(|(_, kind)| kind.name).collect();
    assert_eq!(names.len(), CATALOGUE.len());
    for (service, kind) in CATALOGUE {
        assert_eq!(Service::of(kind.name), Some(*service));
        // The lab, which has no sockets, knows none of them.
        drop(kind.name.parse::<crate::Attack>().unwrap_err());
    }
    assert!(crate::attack::CATALOGUE.iter().all(|kind| !names.contains(kind.name)));
}

#[test]
fn a_false_receipt_is_one_validators_word_and_several_say_the_same() {
    let genesis = genesis();
    let transaction = transaction(&genesis);

    let receipts = [0, 1].map(|number| forger(&genesis, number).receipt(&transaction).unwrap());

    for (number, receipt) in (0..).zip(&receipts) {
        assert_eq!(receipt.verify(genesis.validators(), &transaction.id()), Ok(()));
        assert_eq!(receipt.reply.replica, ReplicaId::new(number));
    }
    assert_eq!(receipts[0].header, receipts[1].header);
}

#[test]
fn no_forged_proof_holds() {
    let genesis = genesis();
    let forger = forger(&genesis, 1);
    let address = Address::Key(key(200).public_key());
    for turn in 0..3 {
        let account = forger.account(&address, Amount::new(5), turn).unwrap();
        assert!(account.verify(genesis.validators(), &address).is_err(), "turn {turn}");
        // Nothing else is wrong with it.
        assert!(account.account.verify(&account.header.state_root), "turn {turn}");
    }
    let holds = |block: &ProvedBlock| {
        let door = types::door::Door::strict(genesis.validators().clone());
        Unverified::new(block.clone()).verify(&door).is_ok()
    };
    let genuine =
        proved(&genesis, forger.block(Height::new(3), Body::new(vec![transaction(&genesis)]), 0));
    assert!(holds(&genuine));
    for turn in 0..12 {
        for forged in forger.blocks(vec![genuine.clone()], turn) {
            assert!(!holds(&forged), "turn {turn}");
        }
    }
}

#[test]
fn no_false_accusation_holds_and_garbage_is_not_long() {
    let genesis = genesis();
    let validators = genesis.validators();
    let block = genesis.header().id();
    let statement =
        Statement { phase: Phase::Prepare, view: View::FIRST, height: Height::new(4), block };
    let genuine = Vote::sign(statement, ReplicaId::new(2), genesis.chain(), &key(2));
    let own = key(1);
    for turn in 0..10 {
        let own: (ReplicaId, &dyn Signer) = (ReplicaId::new(1), &own);
        let lie = frames::accusation(&genuine, own, validators, turn);
        let checked = Unverified::new(lie).verify(validators);
        assert!(checked.is_err(), "turn {turn}: {checked:?}");
        let mut random = Random::stream(turn, "garbage", &[]);
        assert!(frames::garbage(&mut random, turn).len() < 64 << 10, "turn {turn}");
    }
}
