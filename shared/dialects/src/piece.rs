//! A stream in the pivot format, one piece at a time, between a provider's stream and a client's.

use serde_json::Value;

use crate::errors::Told;
use crate::sse::Event;

/// One step of a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// A `chat.completion.chunk` object. The usage comes in a last chunk with `choices: []`, whether or not the client
    /// asked for it; [`FromChat`] decides what the client sees.
    Chunk(Value),
    /// The provider says that it is alive.
    Ping,
    /// The stream has come to its proper end. Nothing follows.
    Done,
    /// The stream ended in an error. Nothing follows.
    Failed(Told),
}

/// Reads a provider's stream.
pub trait ToChat: Send {
    /// Takes the next event.
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<Piece>);

    /// Takes note that the provider's stream is over. Says [`Piece::Done`] or [`Piece::Failed`] unless one was said.
    fn end(&mut self, out: &mut Vec<Piece>);
}

/// Writes a client's stream.
pub trait FromChat: Send {
    /// Writes what a piece is in the client's format: whole events, ready to be sent.
    fn piece(&mut self, piece: Piece, out: &mut Vec<u8>);
}
