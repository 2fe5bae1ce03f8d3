//! The client and the provider of a server, on one thread and in lock step: each piece of a reply leaves when the one
//! before has arrived, so that the server does the same in every run. They allocate nothing for a call.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use crate::Error;
use crate::exchange::{self, Exchange, STREAM_HEAD, WORD};
use crate::served;

/// Longer than any step takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection of a client, and one to a provider.
pub(crate) struct World {
    client: End,
    provider: Provider,
    request: Vec<u8>,
    reply: Vec<u8>,
    event: Vec<u8>,
    stream_end: Vec<u8>,
}

/// The provider, before and after it has been called for the first time.
enum Provider {
    Waiting(TcpListener),
    Called(End),
}

/// One end of a connection, and what has arrived there.
struct End {
    stream: TcpStream,
    arrived: Box<[u8]>,
    length: usize,
}

impl World {
    /// A world in which calls can be made.
    pub(crate) fn of(exchange: &Exchange) -> Result<Self, Error> {
        let provider = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let server = served::start(exchange.between, provider.local_addr()?)?;
        let request = exchange.request();
        Ok(Self {
            client: End::of(TcpStream::connect(server)?, 64 * 1024)?,
            provider: Provider::Waiting(provider),
            request,
            reply: exchange::reply(),
            event: exchange::event(),
            stream_end: exchange::stream_end(),
        })
    }

    /// Makes calls, each answered as a whole or, where there are to be chunks, in so many.
    pub(crate) fn calls(&mut self, calls: u64, chunks: u64) -> Result<(), Error> {
        for _ in 0..calls {
            self.client.say(&self.request)?;
            let provider = self.provider.called(self.request.len())?;
            provider.hear(is_whole)?;
            match chunks {
                0 => provider.say(&self.reply)?,
                _ => stream(&mut self.client, provider, &self.event, chunks, &self.stream_end)?,
            }
            self.client.hear(is_whole)?;
        }
        Ok(())
    }
}

/// Answers in chunks, up to what remains to be read.
fn stream(client: &mut End, provider: &mut End, event: &[u8], chunks: u64, end: &[u8]) -> Result<(), Error> {
    provider.say(STREAM_HEAD)?;
    for _ in 0..chunks {
        provider.say(event)?;
        client.hear(|arrived| find(arrived, WORD).is_some())?;
    }
    provider.say(end)
}

impl Provider {
    /// The provider's end of the connection, made by the first call; `room` is how long a request is at most.
    fn called(&mut self, room: usize) -> Result<&mut End, Error> {
        if let Self::Waiting(listener) = self {
            *self = Self::Called(End::of(listener.accept()?.0, room + 16 * 1024)?);
        }
        match self {
            Self::Called(end) => Ok(end),
            Self::Waiting(_) => Err("the provider has not been called".into()),
        }
    }
}

impl End {
    fn of(stream: TcpStream, room: usize) -> Result<Self, Error> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, arrived: vec![0; room].into(), length: 0 })
    }

    fn say(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Reads until enough has arrived, and forgets it.
    fn hear(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> Result<(), Error> {
        while !is_enough(&self.arrived[..self.length]) {
            let more = self.stream.read(&mut self.arrived[self.length..]).unwrap_or_default();
            if more == 0 {
                let so_far = String::from_utf8_lossy(&self.arrived[..self.length]).into_owned();
                return Err(format!("nothing came after:\n{so_far}").into());
            }
            self.length += more;
        }
        if self.arrived.starts_with(b"HTTP/1.1 ") && !self.arrived.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(&self.arrived[..self.length]).into());
        }
        self.length = 0;
        Ok(())
    }
}

/// Whether a message has arrived to its end: by its length, or by its last chunk.
fn is_whole(message: &[u8]) -> bool {
    if message.ends_with(b"\r\n0\r\n\r\n") {
        return true;
    }
    let Some(head) = find(message, b"\r\n\r\n") else { return false };
    let length = find(&message[..head], b"content-length: ").and_then(|at| {
        let digits = &message[at + b"content-length: ".len()..head];
        let digits = digits.split(|byte| !byte.is_ascii_digit()).next()?;
        std::str::from_utf8(digits).ok()?.parse::<usize>().ok()
    });
    length.is_some_and(|length| message.len() >= head + 4 + length)
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
