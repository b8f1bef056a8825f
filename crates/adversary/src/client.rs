//! `logothete-adversary client`: attacks on the validators of a network by one who has nothing but an account.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use api::client::error::ClientError;
use api::client::network::{Endpoint, Network, directory};
use api::client::{Client, Wait};
use byzantine::Random;
use byzantine::client::{Audience, Kind, Purse, Shot, Volley};
use crypto::derivation::Words;
use program::failure::{Exit, Failure};
use program::output::{BAD, Output, Report, styled};
use serde::{Deserialize, Serialize};
use types::address::Address;
use types::number::Nonce;
use types::transaction::SignedTransaction;

use crate::cli::ClientArguments;

/// How long one answer is waited for, and how long a payment.
const PATIENCE: Duration = Duration::from_secs(5);
const PAYMENT_PATIENCE: Duration = Duration::from_secs(3);

/// Pause when no validator says what nonce is next.
const PAUSE: Duration = Duration::from_millis(200);

/// The most bytes of an answer to what is no request that are read.
const STATUS_BYTES_MAX: u64 = 64;

/// Attacks until the time is over.
///
/// # Errors
///
/// Fails when there is no such network or account.
pub(crate) fn run(arguments: &ClientArguments, output: &mut Output) -> Result<Exit, Failure> {
    let directory = directory(arguments.dir.as_deref());
    let network = Network::find(&directory).map_err(|cause| {
        Failure::fault("no network to attack", &cause).with_hint("--dir names its directory")
    })?;
    let words = words(&directory)?;
    let mut purse = Purse {
        key: words.account(arguments.account),
        chain: *network.genesis.chain(),
        nonce: Nonce::FIRST,
    };
    let address = Address::Key(purse.key.public_key()).to_text(network.genesis.prefix());
    let mut random = Random::stream(arguments.seed, "client", &[]);
    let end = Instant::now().checked_add(Duration::from_secs(arguments.seconds));
    let goes_on = || end.is_none_or(|end| Instant::now() < end);
    let mut submitted = 0_u64;
    while goes_on() {
        for kind in &arguments.attacks {
            let Some(nonce) = next_nonce(&network, &address) else {
                thread::sleep(PAUSE);
                continue;
            };
            purse.nonce = nonce;
            for volley in kind.round(&purse, &mut random) {
                for told in send(kind, &volley, &network) {
                    submitted = submitted.saturating_add(1);
                    if !output.entry(&told)? {
                        return Ok(Exit::Done);
                    }
                }
            }
        }
    }
    if submitted == 0 {
        let text = format!("no validator of {} answered", directory.display());
        return Err(Failure::new(Exit::Unreachable, text));
    }
    Ok(Exit::Done)
}

/// What is read of `accounts.toml` of a local testnet.
#[derive(Deserialize)]
struct Accounts {
    words: String,
}

fn words(directory: &Path) -> Result<Words, Failure> {
    let path = directory.join("accounts.toml");
    let text = fs::read_to_string(&path).map_err(|cause| Failure::file("read", &path, &cause))?;
    let wrong = || {
        let text = format!("{} holds no words of accounts", path.display());
        Failure::new(Exit::Fault, text)
            .with_hint("only a local testnet can be attacked by a client")
    };
    let accounts: Accounts = toml::from_str(&text).map_err(|_| wrong())?;
    Words::parse(&accounts.words).map_err(|_| wrong())
}

/// The nonce after all that is committed, as the first says that answers; an honest validator or none of consequence:
/// with another one all is refused.
fn next_nonce(network: &Network, address: &str) -> Option<Nonce> {
    network.endpoints.iter().find_map(|endpoint| {
        let client = endpoint.client.clone().with_timeout(PATIENCE);
        client.account(address).ok().flatten().map(|account| account.nonce)
    })
}

/// Submits something to all that it is for, and tells what each answered.
fn send(kind: &Kind, volley: &Volley, network: &Network) -> Vec<Told> {
    let concerned = network.endpoints.iter().enumerate().filter(|(index, _)| match volley.to {
        Audience::All => true,
        Audience::Even => index % 2 == 0,
        Audience::Odd => index % 2 == 1,
    });
    let tell = |(_, endpoint): (usize, &Endpoint)| {
        let client = endpoint.client.clone().with_timeout(PATIENCE);
        let (transaction, answers) = match &volley.what {
            Shot::One(one) => (Some(&**one), count(submit(&client, one, Wait::None))),
            Shot::Settled(one) => {
                (Some(&**one), count(submit(&client, one, Wait::Committed(PAYMENT_PATIENCE))))
            }
            Shot::Many(many) => (None, submit_all(&client, many)),
            Shot::Bytes(bytes) => (None, count(post(&client, bytes))),
        };
        Told {
            attack: kind.name,
            act: "submits",
            to: endpoint.name.clone(),
            transaction: transaction.map(|one| one.id().to_string()),
            nonce: transaction.map(|one| one.transaction.nonce.get()),
            answers,
        }
    };
    concerned.map(tell).collect()
}

fn count(answer: String) -> BTreeMap<String, u64> {
    BTreeMap::from([(answer, 1)])
}

fn submit(client: &Client, transaction: &SignedTransaction, wait: Wait) -> String {
    match client.submit(transaction, wait) {
        Ok(answer) => answer.status.to_string().replace(' ', "-"),
        Err(error) => refusal(&error),
    }
}

fn submit_all(client: &Client, transactions: &[SignedTransaction]) -> BTreeMap<String, u64> {
    let mut answers = BTreeMap::new();
    let mut note = |answer: String| {
        let count: &mut u64 = answers.entry(answer).or_default();
        *count = count.saturating_add(1);
    };
    match client.submit_batch(transactions) {
        Ok(answer) => {
            for result in answer.results {
                note(result.code.unwrap_or_else(|| "taken".to_owned()));
            }
        }
        Err(error) => note(refusal(&error)),
    }
    answers
}

/// The code of a problem, or that there was no answer.
fn refusal(error: &ClientError) -> String {
    match error {
        ClientError::Problem { problem, .. } => problem.code.clone(),
        ClientError::BadUrl { .. }
        | ClientError::Unreachable { .. }
        | ClientError::Broken { .. }
        | ClientError::TimedOut { .. }
        | ClientError::Garbled { .. } => "no-answer".to_owned(),
    }
}

/// Posts bytes as a submission, by a connection of its own: no client makes such requests. Gives the HTTP status.
fn post(client: &Client, body: &[u8]) -> String {
    let status = || -> io::Result<String> {
        let host = client.url().trim_start_matches("http://");
        let address = host.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let head = format!(
            "POST /v1/transactions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        // It may be refused by its length, before it is sent whole.
        drop(stream.write_all(body));
        let mut answer = Vec::new();
        stream.take(STATUS_BYTES_MAX).read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        Ok(answer.split_whitespace().nth(1).unwrap_or("no-answer").to_owned())
    };
    status().unwrap_or_else(|_| "no-answer".to_owned())
}

/// What was submitted, and what came of it.
#[derive(Debug, Serialize)]
struct Told {
    attack: &'static str,
    act: &'static str,
    /// The name of the validator.
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<u64>,
    /// How often each answer was given: what became of a submission, the code of a refusal, an HTTP status.
    answers: BTreeMap<String, u64>,
}

impl Report for Told {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{} {} to {}", styled(BAD, self.attack), self.act, self.to)?;
        if let Some(transaction) = &self.transaction {
            write!(out, "  transaction {}", transaction.chars().take(8).collect::<String>())?;
        }
        for (answer, count) in &self.answers {
            write!(out, "  {answer}")?;
            if *count > 1 {
                write!(out, " × {count}")?;
            }
        }
        writeln!(out)
    }
}
