use std::collections::BTreeSet;

use crypto::digest::Digest;
use crypto::encoding::{decode, encode};

use super::{ProvedAccount, ProvedAccountError, Snapshot, state_root};
use crate::tests::fixtures;
use crate::{Address, Amount, BlockId, Height, Nonce, ProofError};

fn verdict(proved: &ProvedAccount, address: &Address) -> Result<(), ProvedAccountError> {
    proved.verify(&fixtures::validators(4), address)
}

#[test]
fn every_account_of_a_state_is_proved_against_its_root() {
    let root = fixtures::block(1, BlockId::NONE).header.state_root;
    for index in 0..5 {
        assert!(fixtures::account_proof(index).verify(&root));
        assert!(!fixtures::account_proof(index).verify(&Digest::ZERO));
    }
}

#[test]
fn a_state_is_fixed_by_the_number_of_accounts_too() {
    assert_ne!(state_root(1, Digest::ZERO), state_root(2, Digest::ZERO));
    let root = fixtures::block(1, BlockId::NONE).header.state_root;
    for accounts in [0, 3, 4, 6, u64::MAX] {
        let mut proof = fixtures::account_proof(3);
        proof.accounts = accounts;
        assert!(!proof.verify(&root), "{accounts} accounts");
    }
}

#[test]
fn a_proved_account_holds_for_its_address_only() {
    let proved = fixtures::proved_account();

    assert_eq!(verdict(&proved, &fixtures::address(203)), Ok(()));
    assert_eq!(verdict(&proved, &fixtures::address(200)), Err(ProvedAccountError::OtherAccount));
}

#[test]
fn every_part_of_a_proved_account_is_bound() {
    type Change = fn(&mut ProvedAccount);
    let changes: [(Change, ProvedAccountError); 7] = [
        (|it| it.account.account.balance = Amount::new(9), ProvedAccountError::Path),
        (|it| it.account.account.nonce = Nonce::new(9), ProvedAccountError::Path),
        (|it| it.account.index = 2, ProvedAccountError::Path),
        (|it| it.account.path.siblings.push(Digest::ZERO), ProvedAccountError::Path),
        (|it| it.header.state_root = Digest::ZERO, ProvedAccountError::Path),
        (
            |it| it.header.timestamp_ms += 1,
            ProvedAccountError::Proof(ProofError::BrokenChain { height: Height::new(2) }),
        ),
        (
            |it| it.proof.certificate.signatures[1].1 = it.proof.certificate.signatures[0].1,
            ProvedAccountError::Signature,
        ),
    ];
    for (change, error) in changes {
        let mut proved = fixtures::proved_account();
        change(&mut proved);
        assert_eq!(verdict(&proved, &fixtures::address(203)), Err(error));
    }
}

#[test]
fn no_changed_bit_is_accepted() {
    let bytes = encode(&fixtures::proved_account());
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        if let Ok(proved) = decode(&changed) {
            assert!(verdict(&proved, &fixtures::address(203)).is_err(), "byte {place}");
        }
    }
}

#[test]
fn a_snapshot_knows_its_root_and_its_supply() {
    let mut snapshot = Snapshot {
        height: Height::new(1),
        block: BlockId::NONE,
        accounts: fixtures::accounts(),
        convicted: BTreeSet::new(),
    };

    let root = fixtures::block(1, BlockId::NONE).header.state_root;
    assert_eq!(snapshot.state_root(), root);
    assert_eq!(snapshot.supply(), Some(Amount::new(5_000_010)));

    snapshot.accounts.swap(0, 1);
    assert_ne!(snapshot.state_root(), root);
    snapshot.accounts[0].balance = Amount::MAX;
    assert_eq!(snapshot.supply(), None);
}
