use types::parameters::Parameters;

use super::Limits;

/// Every window that a genesis may have, with the smallest and the largest blocks.
fn networks() -> impl Iterator<Item = (u16, Limits)> {
    (1..=64).flat_map(|window_heights| {
        [1 << 10, 1 << 20, 8 << 20].map(|block_bytes_max| {
            let parameters =
                Parameters { window_heights, block_bytes_max, ..Parameters::default() };
            (window_heights, Limits::for_network(&parameters, 0))
        })
    })
}

#[test]
fn two_windows_of_full_blocks_with_their_votes_wait_for_a_peer_that_has_just_connected() {
    for (window, limits) in networks() {
        let heights = usize::from(window) * 2;
        let frame_bytes = usize::try_from(limits.frame_bytes_max).unwrap();

        // A pre-prepare and a commit vote at each height, and the last commit vote.
        assert!(limits.outgoing_bytes_max >= heights * (frame_bytes + 200) + 200, "{window}");
        assert!(limits.outgoing_frames_max > heights * 2, "{window}");
    }
}

#[test]
fn a_window_of_full_blocks_may_be_said_twice_a_second_and_as_much_again() {
    for (window, limits) in networks() {
        let window = u64::from(window);
        let bytes = window * 4 * u64::from(limits.frame_bytes_max);

        assert!(u64::from(limits.bytes_per_second) >= bytes, "{window}");
        assert!(u64::from(limits.frames_per_second) >= window * 8, "{window}");
    }
}

#[test]
fn a_message_longer_than_a_block_fits_a_frame() {
    let parameters = Parameters { block_bytes_max: 1 << 10, ..Parameters::default() };
    let limits = Limits::for_network(&parameters, 2 << 20);
    assert!(limits.frame_bytes_max > 2 << 20);
}
