use libp2p::gossipsub::{Message, TopicHash};

use super::{gossip_config, mesh};
use crate::settings::Limits;

#[test]
fn the_numbers_of_the_mesh_fit_together_for_every_size() {
    for others in 0..200 {
        let mesh = mesh(others);

        assert!(mesh.outbound_min <= mesh.low, "{others}");
        assert!(mesh.low <= mesh.target, "{others}");
        assert!(mesh.target <= mesh.high, "{others}");
        assert!(mesh.outbound_min * 2 <= mesh.target, "{others}");
        assert!(mesh.target <= others, "{others}");
    }
}

#[test]
fn a_small_network_is_a_full_mesh() {
    let mesh = mesh(3);

    assert_eq!((mesh.low, mesh.target, mesh.high), (3, 3, 4));
    assert_eq!(mesh.outbound_min, 1);
}

#[test]
fn the_largest_message_leaves_room_below_the_transmit_size() {
    let limits = Limits::default();

    let config = gossip_config(&limits, 3).unwrap();

    assert_eq!(config.max_transmit_size(), limits.gossip_bytes_max + (64 << 10));
    assert_eq!(config.max_control_message_size(), 4 << 10);
    assert!(config.validate_messages());
    assert!(!config.flood_publish());
}

#[test]
fn a_message_is_known_by_topic_and_content() {
    let config = gossip_config(&Limits::default(), 3).unwrap();
    let message = |topic: &str, data: &[u8]| Message {
        source: None,
        data: data.to_vec(),
        sequence_number: None,
        topic: TopicHash::from_raw(topic),
    };

    let id = config.message_id(&message("ab", b"c"));

    assert_eq!(id, config.message_id(&message("ab", b"c")));
    assert_ne!(id, config.message_id(&message("a", b"bc")));
    assert_ne!(id, config.message_id(&message("ab", b"d")));
    assert_eq!(id.0.len(), 20);
}
