use crypto::encoding::{decode, encode};
use crypto::signed::{Forged, Unverified};

use super::{LostProposal, LostProposalError, ProposalPlace, ProposalPlaceError};
use crate::tests::fixtures;
use crate::vote::NotAMember;
use crate::{BlockId, Height, Phase, ReplicaId, Statement, View, Vote};

fn verdict(change: impl FnOnce(&mut LostProposal)) -> Result<(), Forged<LostProposalError>> {
    let mut changed = fixtures::lost_proposal();
    change(&mut changed);
    Unverified::new(changed).verify(&fixtures::validators(4)).map(|_| ())
}

fn malformed(error: LostProposalError) -> Result<(), Forged<LostProposalError>> {
    Err(Forged::Malformed(error))
}

fn about(vote: &mut Vote, change: impl FnOnce(&mut Statement)) {
    let (mut statement, replica) = (vote.statement, vote.replica.get());
    change(&mut statement);
    *vote = fixtures::vote(statement, u8::try_from(replica).unwrap());
}

#[test]
fn a_lost_proposal_holds_with_all_its_signatures_and_survives_its_bytes() {
    assert_eq!(verdict(|_| ()), Ok(()));
    assert_eq!(verdict(|lost| lost.header = None), Ok(()));
    assert_eq!(
        decode::<LostProposal>(&encode(&fixtures::lost_proposal())).unwrap(),
        fixtures::lost_proposal()
    );
}

#[test]
fn nobody_is_framed_by_a_signature_that_is_not_his() {
    let stolen = fixtures::vote(fixtures::lost_proposal().votes[0].statement, 3);

    let forged = Err(Forged::Signature);
    assert_eq!(verdict(|lost| lost.proposed.signature = stolen.signature), forged);
    assert_eq!(verdict(|lost| lost.votes[0].signature = stolen.signature), forged);
    assert_eq!(verdict(|lost| lost.rival.as_mut().unwrap().signature = stolen.signature), forged);
}

#[test]
fn only_the_primary_of_the_view_proposes_and_with_a_prepare_vote() {
    let not_primary =
        |replica, view| malformed(LostProposalError::NotPrimary { replica, view: View::new(view) });

    let other = fixtures::vote(fixtures::lost_proposal().proposed.statement, 3);
    assert_eq!(verdict(|lost| lost.proposed = other), not_primary(ReplicaId::new(3), 1));
    let commit = |lost: &mut LostProposal| about(&mut lost.proposed, |it| it.phase = Phase::Commit);
    assert_eq!(verdict(commit), not_primary(ReplicaId::new(1), 1));
    let view = |lost: &mut LostProposal| about(&mut lost.proposed, |it| it.view = View::new(2));
    assert_eq!(verdict(view), not_primary(ReplicaId::new(1), 2));
}

#[test]
fn votes_header_and_rival_belong_to_the_proposal() {
    let other_vote =
        |replica| malformed(LostProposalError::OtherVote { replica: ReplicaId::new(replica) });
    let changes: [fn(&mut Statement); 3] = [
        |statement| statement.view = View::new(5),
        |statement| statement.height = Height::new(6),
        |statement| statement.block = BlockId::NONE,
    ];
    for change in changes {
        assert_eq!(verdict(|lost| about(&mut lost.votes[0], change)), other_vote(2));
    }
    assert_eq!(verdict(|lost| lost.votes.push(lost.votes[0])), other_vote(2));
    assert_eq!(verdict(|lost| lost.votes.push(lost.proposed)), other_vote(1));
    let header = fixtures::block(6, BlockId::NONE).header;
    assert_eq!(
        verdict(|lost| lost.header = Some(header)),
        malformed(LostProposalError::OtherHeader)
    );
    let no_rival = malformed(LostProposalError::NoRival);
    assert_eq!(verdict(|lost| lost.rival = Some(lost.proposed)), no_rival);
    let elsewhere = |lost: &mut LostProposal| {
        about(lost.rival.as_mut().unwrap(), |it| it.height = Height::new(6));
    };
    assert_eq!(verdict(elsewhere), no_rival);
}

#[test]
fn a_vote_of_somebody_whom_the_network_does_not_have_is_refused() {
    let stranger = ReplicaId::new(9);
    let voted = |lost: &mut LostProposal| lost.votes[0].replica = stranger;

    let nobody = LostProposalError::NotAMember(NotAMember { replica: stranger });
    assert_eq!(verdict(voted), malformed(nobody));
}

#[test]
fn a_rule_is_a_name_and_no_text_for_a_terminal() {
    let refused = |rule: &str| verdict(|lost| lost.refused = Some(rule.to_owned()));

    for rule in ["refused-execution", "a", &"x".repeat(64)] {
        assert_eq!(refused(rule), Ok(()), "{rule}");
    }
    for rule in ["", "\u{1b}[2J", "a b", "Refused", "refused_1", &"x".repeat(65)] {
        assert_eq!(refused(rule), malformed(LostProposalError::NoRule), "{rule:?}");
    }
}

#[test]
fn the_first_reason_that_holds_is_named() {
    let mut lost = fixtures::lost_proposal();
    assert_eq!(lost.why(), "rival");
    lost.refused = Some("refused-wrong-parent".to_owned());
    assert_eq!(lost.why(), "refused");
    (lost.refused, lost.rival) = (None, None);
    assert_eq!(lost.why(), "view-left");
    lost.left = None;
    assert_eq!(lost.why(), "outvoted");
}

#[test]
fn voters_are_counted_by_phase_the_primary_among_them() {
    let (lost, numbers) =
        (fixtures::lost_proposal(), |numbers: [u16; 2]| numbers.map(ReplicaId::new).into());

    assert_eq!(lost.voters(Phase::Prepare), numbers([1, 2]));
    assert_eq!(lost.voters(Phase::Commit), [ReplicaId::new(2)].into());
    assert_eq!(lost.place(), ProposalPlace::from(&lost.votes[0].statement));
    assert_eq!(lost.place().to_string().parse(), Ok(lost.place()));
    for text in ["", "5-1", "5-1-ab", "x-1-ab", "5--1"] {
        assert_eq!(text.parse::<ProposalPlace>(), Err(ProposalPlaceError), "{text}");
    }
}
