use std::future::{pending, ready};

use crypto::encoding::to_wire;
use crypto::keys::{SecretKey, Signature};
use pbft::Message;
use types::address::Address;
use types::amount::Amount;
use types::certificate::Certificate;
use types::genesis::GenesisBuilder;
use types::number::View;
use types::peer_id;
use types::validators::{VALIDATORS_MAX, Validator};
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement};

use super::*;
use crate::wire::FrameRef;

#[tokio::test]
async fn a_fault_ends_the_process_before_it_listens() {
    let (faults, mut fault) = mpsc::channel(1);
    let (halt, halted) = watch::channel(false);
    // A thread that ends while it must not, before there is any address to announce.
    drop(Sentinel { part: "the core", faults, halted });

    let ended: Result<(), NodeError> = unless_fault(pending(), &mut fault).await;

    assert!(matches!(ended, Err(NodeError::Ended("the core"))));
    drop(halt);
}

#[tokio::test]
async fn a_fault_is_told_also_when_the_process_is_told_to_stop() {
    let (faults, mut fault) = mpsc::channel(1);
    faults.try_send(NodeError::Ended("the disk thread")).unwrap();
    let (stop, stopped) = watch::channel(true);

    let ended = unless_fault(told_to_stop(stopped), &mut fault).await;

    assert!(matches!(ended, Err(NodeError::Ended("the disk thread"))));
    drop(stop);
}

#[tokio::test]
async fn nothing_waits_for_a_fault_that_nobody_will_tell() {
    let (faults, mut fault) = mpsc::channel(1);
    drop(faults);

    let done = unless_fault(ready(Ok(7)), &mut fault).await;

    assert!(matches!(done, Ok(7)));
}

/// The longest new view of the largest network, where blocks are as small as can be: without it no view follows the first.
#[test]
fn whatever_validators_have_to_say_fits_onto_the_pipes() {
    let mut builder = GenesisBuilder::local("pipes");
    let seed = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let mut seed = [7; 32];
        (seed[0], seed[1]) = (high, low);
        SecretKey::from_seed(seed).public_key()
    };
    let n = u16::try_from(VALIDATORS_MAX).unwrap();
    builder.validators = (0..n)
        .map(|number| Validator {
            name: format!("v{number}"),
            key: seed(number),
            peer_id: peer_id::of_key(&seed(1_000 + number)),
        })
        .collect();
    builder.accounts.push((Address::Key(seed(9_999)), Amount::new(1)));
    builder.parameters.block_bytes_max = 1_024;
    let genesis = builder.build().unwrap();
    let (view, signature) = (View::new(1), Signature::from_bytes([7; 64]));
    let block = genesis.header().id();
    let statement =
        Statement { phase: Phase::Commit, view: View::FIRST, height: Height::new(1), block };
    let signatures = (0..n).map(|number| (ReplicaId::new(number), signature)).collect();
    let certificate = Certificate { statement, signatures };
    let asked = (0..n).map(ReplicaId::new).map(|replica| ViewChange {
        view,
        certificate: Some(certificate.clone()),
        replica,
        signature,
    });
    let new_view = NewView { view, view_changes: asked.collect(), signature };

    let bytes = to_wire(&FrameRef::Consensus(&Message::NewView(new_view))).len();

    assert!(bytes <= usize::try_from(limits(&genesis).frame_bytes_max).unwrap(), "{bytes}");
}
