//! What a network is started with, and every bound that it keeps.

use std::sync::Arc;
use std::time::Duration;

use crypto::keys::Signer;
use crypto::signed::ChainId;
use types::parameters::Parameters;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use zeroize::Zeroizing;

/// Bytes that a frame needs beyond the largest block: header, votes, lengths.
const FRAME_MARGIN_BYTES: u32 = 64 << 10;
/// Windows of full blocks that a replica may say at once on a new connection: between its committed
/// height and the highest it keeps anything of are two.
const WINDOWS_SAID: u32 = 2;
/// Frames of full length that may wait to be sent beside those.
const OUTGOING_MARGIN_FRAMES: u32 = 16;
/// A window that nothing is decided in is said again twice a second; as much again is for what is
/// new.
const WINDOWS_PER_SECOND: u32 = 4;
/// Frames of full length per second that a peer may send however small the window is.
const FRAMES_PER_SECOND_MIN: u32 = 64;

/// Who this node is, whom it talks to, and where.
pub struct Settings {
    /// The secret Ed25519 seed of the libp2p identity. Another key than the validator's.
    pub node_seed: Zeroizing<[u8; 32]>,
    /// The chain; it is in the name of every topic and protocol.
    pub chain: ChainId,
    /// Which validator this node is.
    pub replica: ReplicaId,
    /// The members.
    pub validators: ValidatorSet,
    /// Signs announcements with the validator's key.
    pub signer: Arc<dyn Signer>,
    /// Multiaddresses to listen on; port 0 lets the system choose.
    pub listen: Vec<String>,
    /// Multiaddresses that others are told to dial, with or without our peer id at their end; none
    /// for those that we listen on.
    pub announce: Vec<String>,
    /// Multiaddresses of members, each ending in `/p2p/PEERID`. Our own is passed over.
    pub bootstrap: Vec<String>,
    /// Whether members are also looked for by multicast; needs the `mdns` feature.
    pub mdns: bool,
    /// The bounds.
    pub limits: Limits,
}

/// Every bound of a network. The defaults suit the default parameters: blocks of 1 MiB, a window of
/// 8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one frame. A longer one is not sent; a peer that sends one is cut off.
    pub frame_bytes_max: u32,
    /// Most frames that wait to be sent to one peer. One more closes the stream and forgets the
    /// queue; the stream is opened again and [`crate::Event::Connected`] says so.
    pub outgoing_frames_max: usize,
    /// Most bytes that wait to be sent to one peer, at least one frame; as above. What is said at
    /// once on a new connection must fit, or that connection ends in the next one for ever. Frames
    /// that go to several peers are in memory once.
    pub outgoing_bytes_max: usize,
    /// Most bytes of frames received from one peer that nobody has dropped yet. When they are used
    /// up nothing more is read from this peer, which slows down its sender and nobody else.
    pub incoming_bytes_max: u32,
    /// Most events that wait to be taken. When it is full the readers of streams wait.
    pub events_max: usize,
    /// Frames per second that one peer may send in the long run.
    pub frames_per_second: u32,
    /// Bytes per second that one peer may send in frames in the long run.
    pub bytes_per_second: u32,
    /// How many seconds' worth of frames and bytes a peer may send at once.
    pub burst_seconds: u32,
    /// For how long a peer stays disconnected that broke a rule of the wire, or was
    /// [cut off](crate::Network::cut_off) for another reason.
    pub cut_off: Duration,
    /// Most bytes of one gossip message.
    pub gossip_bytes_max: usize,
    /// Most gossip messages from one neighbour without a verdict; more are ignored.
    pub gossip_pending_max: usize,
    /// Most bytes of gossip from one neighbour that nobody has dropped yet; more is ignored.
    pub gossip_pending_bytes_max: usize,
    /// Most bytes of one request.
    pub request_bytes_max: u32,
    /// Most bytes of one response.
    pub response_bytes_max: u32,
    /// Most requests to one peer without an answer, and from one peer whose answer it has not taken
    /// (at most 32: libp2p closes the connection beyond 64 streams).
    pub requests_in_flight_max: usize,
    /// How long an answer may take, in both directions.
    pub request_timeout: Duration,
    /// How often a validator announces itself. A peer of whom nothing was heard by gossip for three
    /// of these is connected anew.
    pub announce_interval: Duration,
    /// The first wait between two attempts to dial a peer; it doubles up to the next.
    pub dial_delay_min: Duration,
    /// The longest wait between two attempts to dial a peer.
    pub dial_delay_max: Duration,
    /// The pause between two pings of a connection.
    pub ping_interval: Duration,
    /// How long a ping may take; the second failure in a row closes the connection. The second one
    /// is noticed ten seconds after the first, which is how long libp2p waits for a new stream.
    pub ping_timeout: Duration,
    /// How long a connection may take to be established and authenticated.
    pub handshake_timeout: Duration,
}

impl Limits {
    /// The defaults for a network with these parameters, whose longest message without a block has
    /// `message_bytes_max` bytes.
    pub fn for_network(parameters: &Parameters, message_bytes_max: usize) -> Self {
        let message_bytes_max = u32::try_from(message_bytes_max).unwrap_or(u32::MAX);
        let longest = parameters.block_bytes_max.max(message_bytes_max);
        let frame_bytes_max = longest.saturating_add(FRAME_MARGIN_BYTES);
        let frames = |count: u32| {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            usize::try_from(frame_bytes_max).unwrap_or(usize::MAX).saturating_mul(count)
        };
        let window = u32::from(parameters.window_heights);
        let said = window.saturating_mul(WINDOWS_SAID);
        let per_second = window.saturating_mul(WINDOWS_PER_SECOND).max(FRAMES_PER_SECOND_MIN);
        Self {
            frame_bytes_max,
            outgoing_frames_max: 8_192,
            outgoing_bytes_max: frames(said.saturating_add(OUTGOING_MARGIN_FRAMES)),
            incoming_bytes_max: frame_bytes_max.saturating_mul(8),
            events_max: 1_024,
            frames_per_second: 20_000,
            bytes_per_second: frame_bytes_max.saturating_mul(per_second),
            burst_seconds: 3,
            cut_off: Duration::from_secs(30),
            gossip_bytes_max: 512 << 10,
            gossip_pending_max: 256,
            gossip_pending_bytes_max: 16 << 20,
            request_bytes_max: 64 << 10,
            response_bytes_max: frame_bytes_max.saturating_mul(2).max(4 << 20),
            requests_in_flight_max: 8,
            request_timeout: Duration::from_secs(10),
            announce_interval: Duration::from_secs(3),
            dial_delay_min: Duration::from_secs(1),
            dial_delay_max: Duration::from_secs(30),
            ping_interval: Duration::from_secs(3),
            ping_timeout: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(5),
        }
    }

    /// The same bounds, with those raised or lowered that would contradict another or libp2p.
    pub(crate) fn consistent(mut self) -> Self {
        let frame_bytes = usize::try_from(self.frame_bytes_max).unwrap_or(usize::MAX);
        self.outgoing_frames_max = self.outgoing_frames_max.max(1);
        self.outgoing_bytes_max = self.outgoing_bytes_max.max(frame_bytes);
        self.incoming_bytes_max = self.incoming_bytes_max.max(self.frame_bytes_max).max(1);
        self.events_max = self.events_max.max(1);
        self.frames_per_second = self.frames_per_second.max(1);
        self.bytes_per_second = self.bytes_per_second.max(1);
        self.burst_seconds = self.burst_seconds.max(1);
        self.gossip_pending_max = self.gossip_pending_max.max(1);
        self.gossip_pending_bytes_max = self.gossip_pending_bytes_max.max(self.gossip_bytes_max);
        self.requests_in_flight_max = self.requests_in_flight_max.clamp(1, 32);
        self.dial_delay_min = self.dial_delay_min.max(Duration::from_millis(10));
        self.dial_delay_max = self.dial_delay_max.max(self.dial_delay_min);
        self.announce_interval = self.announce_interval.max(Duration::from_millis(50));
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::for_network(&Parameters::default(), 0)
    }
}

#[cfg(test)]
mod tests;
