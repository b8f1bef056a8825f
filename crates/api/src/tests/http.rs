//! HTTP by hand: what no well-behaved client would send.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::problem::{self, Code, Problem};
use crate::tests::backend::Served;

/// A server that is silent for longer in a test is taken for hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An answer, as far as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Some(Self { status, headers, body: bytes[end + 4..].to_vec() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The problem document that this must be, whole and consistent.
    pub(crate) fn problem(&self) -> Problem {
        assert_eq!(self.header("content-type"), Some(problem::MEDIA_TYPE));
        let problem: Problem = self.json();
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.kind, format!("urn:logothete:problem:{}", problem.code));
        assert!(!problem.detail.is_empty());
        problem
    }

    pub(crate) fn code(&self) -> Code {
        self.problem().known_code().unwrap()
    }
}

/// Connects, with patience.
pub(crate) fn connect(served: &Served) -> TcpStream {
    let stream = TcpStream::connect(served.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes on a new connection and reads until the server closes it; none when no answer came.
pub(crate) fn raw(served: &Served, bytes: &[u8]) -> Option<Reply> {
    exchange(served, bytes, false)
}

/// As [`raw`], saying after the bytes that no more will come: a server must not wait for the rest.
pub(crate) fn raw_and_end(served: &Served, bytes: &[u8]) -> Option<Reply> {
    exchange(served, bytes, true)
}

fn exchange(served: &Served, bytes: &[u8], end: bool) -> Option<Reply> {
    let mut stream = connect(served);
    // The server may refuse, answer and close before all is sent.
    drop(stream.write_all(bytes));
    if end {
        drop(stream.shutdown(Shutdown::Write));
    }
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    Reply::parse(&answer)
}

/// Sends a request that is HTTP and reads the answer.
pub(crate) fn request(
    served: &Served,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    for (name, value) in headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        bytes.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    bytes.push_str("\r\n");
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    raw(served, &bytes).unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

pub(crate) fn get(served: &Served, path: &str) -> Reply {
    request(served, "GET", path, &[], &[])
}

pub(crate) fn post(served: &Served, path: &str, body: &[u8]) -> Reply {
    request(served, "POST", path, &[("Content-Type", "application/json")], body)
}
