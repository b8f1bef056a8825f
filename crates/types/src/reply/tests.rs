use crypto::signed::{Forged, Unverified};

use super::BlockReply;
use crate::tests::fixtures;
use crate::vote::NotAMember;
use crate::{BlockId, Height, ReplicaId};

fn reply(replica: u8) -> BlockReply {
    fixtures::reply(&fixtures::block(5, BlockId::NONE).header, replica)
}

fn verdict(reply: BlockReply) -> Result<(), Forged<NotAMember>> {
    Unverified::new(reply).verify(&fixtures::validators(4)).map(|_| ())
}

#[test]
fn a_reply_of_a_member_is_authentic_and_a_strangers_is_not() {
    assert_eq!(verdict(reply(3)), Ok(()));
    let replica = ReplicaId::new(4);
    assert_eq!(verdict(reply(4)), Err(Forged::Malformed(NotAMember { replica })));
}

#[test]
fn every_field_of_a_reply_is_bound() {
    let changes: [fn(&mut BlockReply); 3] = [
        |reply| reply.replica = ReplicaId::new(2),
        |reply| reply.statement.height = Height::new(6),
        |reply| reply.statement.block = BlockId::NONE,
    ];
    for change in changes {
        let mut reply = reply(3);
        change(&mut reply);
        assert_eq!(verdict(reply), Err(Forged::Signature));
    }
}
