//! The links between the validators of a testnet, to be cut and healed, one direction at a time.
//!
//! Every validator announces the address of a relay of its own (`p2p_announce`), so whoever dials
//! it comes through here. Who dials is told by the port it comes from: libp2p dials from the port
//! that it listens on. A connection from another port, which libp2p takes for one that still
//! lingers, is refused and dialled anew later.
//!
//! A cut link loses nothing that TCP would not bring back: what is under way waits, as with packets
//! that are lost and sent again, and so do the ends of connections. What was held back comes when
//! the link heals, however late.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::testnet::Testnet;

/// Testnets of this process with relays so far.
static TESTNETS: AtomicU8 = AtomicU8::new(0);

/// The relays of a testnet. Dropped, they close.
#[derive(Debug)]
pub struct Relays {
    links: Arc<Links>,
    /// Where each accepts.
    doors: Vec<SocketAddr>,
    threads: Vec<JoinHandle<()>>,
}

/// What all connections look at.
#[derive(Debug, Default)]
struct Links {
    /// The directions that carry nothing: from one validator to another.
    cut: Mutex<BTreeSet<(usize, usize)>>,
    changed: Condvar,
    closed: AtomicBool,
    /// Both ends of every connection so far.
    streams: Mutex<Vec<TcpStream>>,
}

impl Relays {
    /// A testnet that runs, all of whose connections go through relays.
    ///
    /// # Panics
    ///
    /// When it does not come up, or comes up without its relays.
    pub fn up(arguments: &[&str]) -> (Testnet, Self) {
        let testnet = Testnet::up(arguments);
        drop(testnet.run(&["down"]).with_code(0));
        let count = testnet.genesis().validators().len();
        let targets: Vec<SocketAddr> = places(count);
        let links = Arc::new(Links::default());
        let mut relays = Self { links, doors: Vec::new(), threads: Vec::new() };
        for (index, target) in targets.iter().enumerate() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
            let door = listener.local_addr().expect("a listener has an address");
            relays.doors.push(door);
            let (links, targets) = (Arc::clone(&relays.links), targets.clone());
            relays.threads.push(thread::spawn(move || links.accept(&listener, index, &targets)));
            configure(&testnet, index, *target, door);
        }
        let mut up = vec!["up", "--detach"];
        up.extend(arguments);
        drop(testnet.run(&up).with_code(0));
        let connections = lock(&relays.links.streams).len() / 2;
        assert!(connections >= count * (count - 1) / 2, "only {connections} go through relays");
        (testnet, relays)
    }

    /// From now on nothing that the first of each pair sends reaches the second.
    pub fn cut(&self, directions: &[(usize, usize)]) {
        self.change(|cut| cut.extend(directions));
    }

    /// From now on nothing passes between validators of different groups. Whoever is in none is
    /// alone.
    pub fn part(&self, groups: &[&[usize]]) {
        self.cut(&apart(self.doors.len(), groups));
    }

    /// From now on everything passes again.
    pub fn heal(&self) {
        self.change(BTreeSet::clear);
    }

    fn change(&self, change: impl FnOnce(&mut BTreeSet<(usize, usize)>)) {
        change(&mut lock(&self.links.cut));
        self.links.changed.notify_all();
    }
}

/// Every direction between members of different groups, of so many. Whoever is in none is alone.
pub(crate) fn apart(count: usize, groups: &[&[usize]]) -> Vec<(usize, usize)> {
    let group = |index: usize| groups.iter().position(|group| group.contains(&index));
    let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
    let apart = pairs
        .filter(|(from, to)| from != to && (group(*from).is_none() || group(*from) != group(*to)));
    apart.collect()
}

impl Drop for Relays {
    fn drop(&mut self) {
        self.links.closed.store(true, Ordering::SeqCst);
        self.change(|_| {});
        for door in &self.doors {
            // It wakes the one who accepts; one that is gone needs no waking.
            drop(TcpStream::connect(door));
        }
        for stream in lock(&self.links.streams).drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

impl Links {
    /// Takes connections to a validator until the relays close.
    fn accept(self: Arc<Self>, listener: &TcpListener, to: usize, targets: &[SocketAddr]) {
        for near in listener.incoming() {
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            let Ok(near) = near else { continue };
            let port = near.peer_addr().map_or(0, |address| address.port());
            let from = targets.iter().position(|target| target.port() == port);
            let (Some(from), Some(target)) = (from, targets.get(to)) else { continue };
            let Ok(far) = TcpStream::connect(target) else { continue };
            for (source, sink, from, to) in [(&near, &far, from, to), (&far, &near, to, from)] {
                let (Ok(source), Ok(sink)) = (source.try_clone(), sink.try_clone()) else {
                    continue;
                };
                drop(source.set_nodelay(true));
                let links = Arc::clone(&self);
                thread::spawn(move || links.carry(source, sink, from, to));
            }
            lock(&self.streams).extend([near, far]);
        }
    }

    /// Carries what one validator sends to another, and the end of it.
    fn carry(&self, mut source: TcpStream, mut sink: TcpStream, from: usize, to: usize) {
        let mut bytes = vec![0; 64 << 10];
        loop {
            let read = source.read(&mut bytes);
            if !self.wait_until_open(from, to) {
                return;
            }
            match read {
                Ok(count) if count > 0 => {
                    let read = bytes.get(..count).unwrap_or_default();
                    if sink.write_all(read).is_err() {
                        return drop(source.shutdown(Shutdown::Both));
                    }
                }
                Ok(_) => return drop(sink.shutdown(Shutdown::Write)),
                Err(_) => return drop(sink.shutdown(Shutdown::Both)),
            }
        }
    }

    /// Whether it opened before the relays closed.
    fn wait_until_open(&self, from: usize, to: usize) -> bool {
        let mut cut = lock(&self.cut);
        while cut.contains(&(from, to)) && !self.closed.load(Ordering::SeqCst) {
            cut = self.changed.wait(cut).unwrap_or_else(PoisonError::into_inner);
        }
        !self.closed.load(Ordering::SeqCst)
    }
}

/// Where validators listen: on ports that the system chooses, at an address of 127.0.0.0/8 that
/// nobody else uses, so that they are still free when the validator comes.
fn places(count: usize) -> Vec<SocketAddr> {
    let [.., high, low] = std::process::id().to_be_bytes();
    let number = TESTNETS.fetch_add(1, Ordering::SeqCst);
    let address = Ipv4Addr::new(127, high | 1, low, number.saturating_add(2));
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((address, 0)).expect("all of 127.0.0.0/8 is this computer"))
        .collect();
    let places = listeners.iter().map(|listener| listener.local_addr().expect("it listens"));
    places.collect()
}

/// Lets a validator listen at its place and announce its relay.
fn configure(testnet: &Testnet, index: usize, target: SocketAddr, door: SocketAddr) {
    let path = testnet.node(index).join("config.toml");
    let mut text = fs::read_to_string(&path).expect("a testnet has its files");
    let multiaddress =
        |address: SocketAddr| format!("[\"/ip4/{}/tcp/{}\"]", address.ip(), address.port());
    for (before, after) in [
        (
            "p2p_listen = [\"/ip4/127.0.0.1/tcp/0\"]",
            format!("p2p_listen = {}", multiaddress(target)),
        ),
        ("p2p_announce = []", format!("p2p_announce = {}", multiaddress(door))),
    ] {
        assert!(text.contains(before), "{before} is not in {text}");
        text = text.replacen(before, &after, 1);
    }
    fs::write(path, text).expect("a test may write");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
