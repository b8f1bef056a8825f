//! Validators on hosts of their own: each in a network namespace with its own address, behind a router
//! that loses what it is told to lose, in one direction or both.
//!
//! ```text
//!   host 0: 10.77.0.1 ──┐            ┌── 10.77.1.1 :host 1
//!                       │   router   │
//!   host 2: 10.77.2.1 ──┘ = the test └── 10.77.3.1 :host 3
//! ```
//!
//! Namespaces need no privileges where the system gives user namespaces, and vanish with the last
//! process in them. So a test runs itself once more inside one ([`within`]), which is the router.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::programs;
use crate::relay::apart;
use crate::testnet::Testnet;
use crate::wait::until_true;

/// What a namespace must be able to do, tried in one of its own.
const TRIAL: &str = "echo 1 > /proc/sys/net/ipv4/ip_forward \
    && ip link add v0 type veth peer name v1 \
    && ip rule add from 10.77.0.1 to 10.77.1.1 blackhole";

/// Where validators listen for each other, and for requests; every one has its own address.
const P2P_PORT: u16 = 7_000;
const API_PORT: u16 = 8_000;

/// Runs the ignored test of this name in a network of its own.
///
/// # Errors
///
/// Says why where the system gives no network namespaces.
///
/// # Panics
///
/// When the test fails.
pub fn within(test: &str) -> Result<(), String> {
    let namespace = ["--user", "--map-root-user", "--net", "--mount", "--kill-child", "--"];
    let trial = Command::new("unshare").args(namespace).args(["sh", "-c", TRIAL]).output();
    let trial = trial.map_err(|error| format!("no network namespaces here: unshare: {error}"))?;
    if !trial.status.success() {
        let reason = String::from_utf8_lossy(&trial.stderr);
        return Err(format!("no network namespaces here: {}", reason.trim()));
    }
    let own = std::env::current_exe().expect("a running test has a path");
    let status = Command::new("unshare")
        .args(namespace)
        .arg(own)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .status()
        .expect("it was there a moment ago");
    assert!(status.success(), "{test} failed");
    Ok(())
}

/// Validators that run on hosts of their own. Dropped, they are killed.
#[derive(Debug)]
pub struct Hosts {
    validators: Vec<Child>,
    /// One process in each namespace that keeps it.
    holders: Vec<Child>,
    /// Directions in which nothing passes.
    cut: Vec<(usize, usize)>,
}

impl Hosts {
    /// So many validators that have all met. To be called in a network of its own.
    ///
    /// # Panics
    ///
    /// When they do not come up.
    pub fn up(count: usize) -> (Testnet, Self) {
        router();
        let testnet = Testnet::up(&["-n", &count.to_string(), "--timeout", "60"]);
        drop(testnet.run(&["down"]).with_code(0));
        let peers: Vec<String> = testnet
            .genesis()
            .validators()
            .iter()
            .enumerate()
            .map(|(index, (_, validator))| {
                format!("\"/ip4/{}/tcp/{P2P_PORT}/p2p/{}\"", address(index), validator.peer_id)
            })
            .collect();
        let mut hosts = Self { validators: Vec::new(), holders: Vec::new(), cut: Vec::new() };
        for index in 0..count {
            hosts.holders.push(host(index));
            configure(&testnet, index, &peers.join(", "));
        }
        for index in 0..count {
            let validator = hosts.start(&testnet, index);
            hosts.validators.push(validator);
        }
        for index in 0..count {
            until_true(&format!("host {index} is ready"), || {
                let file = api::client::network::RunFile::read(&testnet.node(index));
                file.is_some() && testnet.client(index).status().is_ok_and(|status| status.ready)
            });
        }
        (testnet, hosts)
    }

    fn start(&self, testnet: &Testnet, index: usize) -> Child {
        let folder = testnet.node(index);
        let log = File::options().append(true).create(true).open(folder.join("log"));
        let log = log.expect("a test may write");
        let holder = self.holders.get(index).expect("every host has its own");
        Command::new("nsenter")
            .args(["--target", &holder.id().to_string(), "--net", "--"])
            .arg(programs::program("logothete"))
            .args(["validator", "--config"])
            .arg(folder.join("config.toml"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nsenter is where unshare is")
    }

    /// From now on the router loses all that the first of each pair sends to the second.
    pub fn cut(&mut self, directions: &[(usize, usize)]) {
        for (from, to) in directions {
            rule("add", *from, *to);
            self.cut.push((*from, *to));
        }
    }

    /// From now on nothing passes between hosts of different groups.
    pub fn part(&mut self, groups: &[&[usize]]) {
        self.cut(&apart(self.holders.len(), groups));
    }

    /// From now on everything passes again.
    pub fn heal(&mut self) {
        for (from, to) in self.cut.drain(..) {
            rule("del", from, to);
        }
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for child in self.validators.iter_mut().chain(&mut self.holders) {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Makes the network that this process is in a router.
fn router() {
    ip(&["link", "set", "lo", "up"]);
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("the network is this test's own");
}

/// Makes a host, and a link to it.
fn host(index: usize) -> Child {
    let holder = Command::new("unshare")
        .args(["--net", "--", "sleep", "3600"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("unshare is there");
    let network = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
    let id = holder.id().to_string();
    until_true("the host is apart", || {
        network(&id).is_some_and(|found: PathBuf| Some(found) != network("self"))
    });
    let link = format!("v{index}");
    let (own, gateway) = (address(index).to_string(), gateway(index).to_string());
    ip(&["link", "add", &link, "type", "veth", "peer", "name", "eth0", "netns", &id]);
    ip(&["address", "add", &format!("{gateway}/24"), "dev", &link]);
    ip(&["link", "set", &link, "up"]);
    let there = |arguments: &[&str]| {
        let inside = ["--target", &id, "--net", "--", "ip"];
        run(Command::new("nsenter").args(inside).args(arguments));
    };
    there(&["link", "set", "lo", "up"]);
    there(&["address", "add", &format!("{own}/24"), "dev", "eth0"]);
    there(&["link", "set", "eth0", "up"]);
    there(&["route", "add", "default", "via", &gateway]);
    holder
}

/// Tells a validator where it is, and where the others are.
fn configure(testnet: &Testnet, index: usize, peers: &str) {
    let file = testnet.node(index).join("config.toml");
    let own = address(index);
    let text = fs::read_to_string(&file).expect("a testnet has its files");
    let text: String = text
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("p2p_listen", _)) => format!("p2p_listen = [\"/ip4/{own}/tcp/{P2P_PORT}\"]\n"),
            Some(("p2p_bootstrap", _)) => format!("p2p_bootstrap = [{peers}]\n"),
            Some(("api_listen", _)) => format!("api_listen = \"{own}:{API_PORT}\"\n"),
            Some(_) | None => format!("{line}\n"),
        })
        .collect();
    fs::write(&file, text).expect("a test may write");
}

fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, octet(index), 1)
}

/// The router, as a host sees it.
fn gateway(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, octet(index), 254)
}

fn octet(index: usize) -> u8 {
    u8::try_from(index).expect("there are few hosts")
}

/// Tells the router what to lose, or no longer.
fn rule(action: &str, from: usize, to: usize) {
    let (from, to) = (address(from).to_string(), address(to).to_string());
    ip(&["rule", action, "from", &from, "to", &to, "blackhole"]);
}

fn ip(arguments: &[&str]) {
    run(Command::new("ip").args(arguments));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
