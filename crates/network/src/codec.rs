//! Requests and responses on the wire: four bytes of length, then as many bytes.
//!
//! The length is checked against the limit before anything is allocated, and memory is taken only
//! as the bytes arrive.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response;

/// Memory is taken for so many bytes before they have come.
const READ_AHEAD_BYTES: usize = 64 << 10;

/// The bounds of both directions.
#[derive(Debug, Clone)]
pub(crate) struct Codec {
    pub(crate) request_bytes_max: u32,
    pub(crate) response_bytes_max: u32,
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_bounded(io, self.request_bytes_max).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_bounded(io, self.response_bytes_max).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_bounded(io, &bytes, self.request_bytes_max).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_bounded(io, &bytes, self.response_bytes_max).await
    }
}

/// Reads one message of at most `bytes_max` bytes.
async fn read_bounded<T>(io: &mut T, bytes_max: u32) -> io::Result<Vec<u8>>
where
    T: AsyncRead + Unpin + Send,
{
    let mut prefix = [0; 4];
    io.read_exact(&mut prefix).await?;
    let length = u32::from_be_bytes(prefix);
    if length > bytes_max {
        return Err(too_long(length, bytes_max));
    }
    let expected = usize::try_from(length).map_err(|_| too_long(length, bytes_max))?;
    let mut bytes = Vec::with_capacity(expected.min(READ_AHEAD_BYTES));
    io.take(u64::from(length)).read_to_end(&mut bytes).await?;
    if bytes.len() == expected { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Writes one message of at most `bytes_max` bytes.
async fn write_bounded<T>(io: &mut T, bytes: &[u8], bytes_max: u32) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
{
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if length > bytes_max {
        return Err(too_long(length, bytes_max));
    }
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(bytes).await?;
    io.flush().await
}

fn too_long(length: u32, bytes_max: u32) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("a message of {length} bytes is longer than {bytes_max}"),
    )
}

#[cfg(test)]
mod tests;
