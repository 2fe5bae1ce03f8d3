//! Translates a stream: bytes of the provider in, bytes for the client out.

use std::fmt;

use serde_json::Value;

use crate::chat::Usage;
use crate::errors::{self, Told};
use crate::piece::{FromChat, Piece, ToChat};
use crate::sse::{Reader, TooLarge};

/// How much of an answer that is no event stream is kept, to say what it was.
const LONGEST_PAGE: usize = 64 * 1024;

/// A stream on its way from a provider's format to a client's.
///
/// It ends exactly once: properly, or in an error that the client's format tells. Whatever is pushed afterwards is
/// ignored.
pub struct StreamTranslation {
    reader: Reader,
    provider: Box<dyn ToChat>,
    client: Box<dyn FromChat>,
    /// The beginning of the answer until it shows what it is, and all of it where it is no event stream.
    head: Head,
    pieces: Vec<Piece>,
    usage: Option<Usage>,
    model: Option<String>,
    end: Option<Result<(), Told>>,
}

#[derive(Debug)]
enum Head {
    /// Nothing but white space so far.
    Unread,
    /// An event stream.
    Events,
    /// JSON or a page, which some providers answer with status 200 in place of the stream.
    Page(Vec<u8>),
}

impl fmt::Debug for StreamTranslation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("StreamTranslation");
        shown.field("usage", &self.usage).field("end", &self.end).finish_non_exhaustive()
    }
}

impl StreamTranslation {
    pub(super) fn new(provider: Box<dyn ToChat>, client: Box<dyn FromChat>) -> Self {
        Self {
            reader: Reader::default(),
            provider,
            client,
            head: Head::Unread,
            pieces: Vec::new(),
            usage: None,
            model: None,
            end: None,
        }
    }

    /// Takes the provider's next bytes.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.end.is_some() {
            return;
        }
        if matches!(self.head, Head::Unread) {
            self.head = Head::of(bytes);
        }
        if let Head::Page(page) = &mut self.head {
            let room = LONGEST_PAGE - page.len();
            page.extend_from_slice(&bytes[..bytes.len().min(room)]);
            return;
        }
        let (provider, pieces) = (&mut self.provider, &mut self.pieces);
        let pushed = self.reader.push(bytes, |event| provider.event(event, pieces));
        self.write(out);
        if pushed == Err(TooLarge) {
            self.fail(
                Told::of_upstream("event_too_large", "An event of the provider's stream is too large."),
                out,
            );
        }
    }

    /// Takes note that the provider's bytes are over.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if self.end.is_some() {
            return;
        }
        match &self.head {
            Head::Unread => return self.fail(Told::empty(), out),
            Head::Page(page) => return self.fail(told_by_page(page), out),
            Head::Events => {}
        }
        let (provider, pieces) = (&mut self.provider, &mut self.pieces);
        self.reader.end(|event| provider.event(event, pieces));
        self.provider.end(&mut self.pieces);
        self.write(out);
        self.fail(Told::truncated(), out);
    }

    /// Ends the stream in an error, unless it has ended.
    pub fn fail(&mut self, told: Told, out: &mut Vec<u8>) {
        if self.end.is_none() {
            self.write_piece(Piece::Failed(told), out);
        }
    }

    /// Tells the client that the stream lives, in a way its format allows.
    pub fn ping(&mut self, out: &mut Vec<u8>) {
        if self.end.is_none() {
            self.write_piece(Piece::Ping, out);
        }
    }

    /// How the stream ended, once it has.
    #[must_use]
    pub fn ended(&self) -> Option<Result<(), &Told>> {
        self.end.as_ref().map(|end| end.as_ref().copied())
    }

    /// The last usage that the provider told.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The model that answers, as the provider tells it.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        let mut pieces = std::mem::take(&mut self.pieces);
        for piece in pieces.drain(..) {
            self.write_piece(piece, out);
        }
        self.pieces = pieces;
    }

    fn write_piece(&mut self, piece: Piece, out: &mut Vec<u8>) {
        if self.end.is_some() {
            return;
        }
        match &piece {
            Piece::Chunk(chunk) => {
                self.usage = Usage::read(&chunk["usage"]).or(self.usage);
                if self.model.is_none() {
                    self.model = chunk["model"].as_str().map(str::to_owned);
                }
            }
            Piece::Ping => {}
            Piece::Done => self.end = Some(Ok(())),
            Piece::Failed(told) => self.end = Some(Err(told.clone())),
        }
        self.client.piece(piece, out);
    }
}

impl Head {
    fn of(bytes: &[u8]) -> Self {
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => Self::Unread,
            Some(b'{' | b'[' | b'<') => Self::Page(Vec::new()),
            Some(_) => Self::Events,
        }
    }
}

/// What an answer says that is no event stream: an error, if anything.
fn told_by_page(page: &[u8]) -> Told {
    let json = serde_json::from_slice::<Value>(page).ok();
    json.as_ref().and_then(Told::of_object).unwrap_or_else(|| {
        let read = errors::read(502, None, page);
        let message = format!("The provider answered with no event stream: {}", read.message);
        Told::of_upstream("no_event_stream", &message)
    })
}
