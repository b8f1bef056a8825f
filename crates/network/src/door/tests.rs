use prometheus_client::registry::Registry;

use super::*;
use crate::network::tests::{settings, validators};

fn door(pending_max: usize) -> Door {
    let validators = validators(1, &[1, 2]);
    let settings = settings(&validators, 1, &[]);
    let own = crate::identity::keypair(&settings.node_seed).public().to_peer_id();
    let members = Arc::new(Members::new(&settings, own).unwrap());
    Door::new(members, Metrics::register(&mut Registry::default()), pending_max)
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

fn began(door: &mut Door, number: usize, remote: &str) -> bool {
    door.begin(id(number), &remote.parse().unwrap()).is_ok()
}

#[test]
fn one_source_has_a_few_places_and_others_have_theirs() {
    let mut door = door(2);

    assert!(began(&mut door, 1, "/ip4/192.0.2.1/tcp/1001"));
    assert!(began(&mut door, 2, "/ip4/192.0.2.1/tcp/1002"));
    assert!(!began(&mut door, 3, "/ip4/192.0.2.1/tcp/1003"));
    assert!(!began(&mut door, 4, "/ip6/::ffff:192.0.2.1/tcp/1003"));
    assert!(began(&mut door, 5, "/ip4/192.0.2.2/tcp/1001"));
    assert!(began(&mut door, 6, "/ip6/2001:db8:0:1::1/tcp/1001"));
    assert!(began(&mut door, 7, "/ip6/2001:db8:0:1:ffff::2/tcp/1001"));
    assert!(!began(&mut door, 8, "/ip6/2001:db8:0:1::3/tcp/1001"));
    assert!(began(&mut door, 9, "/ip6/2001:db8:0:2::1/tcp/1001"));
}

#[test]
fn a_handshake_that_ends_gives_its_place_back() {
    let mut door = door(1);
    let remote: Multiaddr = "/ip4/192.0.2.1/tcp/1001".parse().unwrap();
    let stranger = PeerId::random();

    assert!(began(&mut door, 1, "/ip4/192.0.2.1/tcp/1001"));
    assert!(!began(&mut door, 2, "/ip4/192.0.2.1/tcp/1002"));
    let let_in = door.handle_established_inbound_connection(id(1), stranger, &remote, &remote);
    assert!(let_in.is_err());

    assert!(began(&mut door, 3, "/ip4/192.0.2.1/tcp/1003"));
    let failed = libp2p::swarm::ListenError::Aborted;
    door.on_swarm_event(FromSwarm::ListenFailure(libp2p::swarm::behaviour::ListenFailure {
        local_addr: &remote,
        send_back_addr: &remote,
        error: &failed,
        connection_id: id(3),
        peer_id: None,
    }));
    assert!(began(&mut door, 4, "/ip4/192.0.2.1/tcp/1004"));
}
