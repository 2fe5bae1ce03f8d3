//! What is learnt of a reply from its bytes as they pass: whether it has come to its end, and what it cost.

mod glance;

use twinlane_dialects::Dialect;

use crate::inband::Protocol;
use crate::lexer::{Framing, Lexer, Listener, Token, Word};
use crate::record::Notes;
use crate::terminal::Terminal;
use crate::usage::Receipt;
use glance::Glance;

/// The code of an error that a provider told in the middle of a stream, as in [`Error`](crate::Error).
const PROVIDER_ERROR: &str = "provider_error";

/// Reads one reply in one pass.
#[derive(Debug)]
pub struct Reading {
    lexer: Lexer,
    ears: Ears,
    glance: Option<Glance>,
    /// Whether this may be a whole reply, of which nothing has been seen yet.
    untouched: bool,
}

#[derive(Debug)]
struct Ears {
    terminal: Option<Terminal>,
    receipt: Option<Receipt>,
}

impl Reading {
    /// Of an event stream. `tells` is the dialect in which it tells what it cost, where it does.
    #[must_use]
    pub fn of_events(protocol: Protocol, tells: Option<Dialect>) -> Self {
        let terminal = Some(Terminal::of(protocol));
        let ears = Ears { terminal, receipt: tells.map(Receipt::of) };
        Self {
            lexer: Lexer::of(Framing::Events),
            ears,
            glance: Some(Glance::at(protocol, tells)),
            untouched: false,
        }
    }

    /// Of a JSON document that tells in this dialect what it cost.
    #[must_use]
    pub fn of_whole(tells: Dialect) -> Self {
        let receipt = Some(Receipt::of(tells));
        Self {
            lexer: Lexer::of(Framing::Whole),
            ears: Ears { terminal: None, receipt },
            glance: None,
            untouched: true,
        }
    }

    /// Looks at the next bytes. Once there is nothing to wait for, they are not looked at.
    pub fn see(&mut self, data: &[u8]) {
        if std::mem::take(&mut self.untouched) && self.ears.take_whole(data) {
            return;
        }
        if !self.is_unfinished() && self.ears.receipt.is_none() {
            return;
        }
        if self.is_of_no_interest(data) {
            self.ears.hear(Token::Ended);
        } else {
            self.lexer.read(data, &mut self.ears);
        }
    }

    /// Whether a piece is of whole events that say nothing new, as most are: a few words of the answer.
    fn is_of_no_interest(&self, data: &[u8]) -> bool {
        let knows_model = || self.ears.receipt.as_ref().is_none_or(|receipt| receipt.model().is_some());
        let says_nothing = |glance: &Glance| !glance.catches(data);
        data.ends_with(b"\n\n")
            && self.lexer.is_between_events()
            && knows_model()
            && self.glance.as_ref().is_some_and(says_nothing)
    }

    /// Whether an event stream would stop here short of its protocol's end.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.ears.terminal.as_ref().is_some_and(|terminal| !terminal.has_ended())
    }

    /// Notes what has been learnt so far: whether the provider failed, and what the reply cost.
    pub fn tell(&self, notes: &Notes) {
        if self.ears.terminal.as_ref().is_some_and(Terminal::has_failed) {
            notes.failed(PROVIDER_ERROR);
        }
        let Some(receipt) = &self.ears.receipt else { return };
        if let Some(usage) = receipt.usage() {
            notes.used(usage);
        }
        if let Some(model) = receipt.model() {
            notes.answered_by(model);
        }
    }
}

impl Ears {
    /// Most replies come in one piece, and then there is a shorter way.
    fn take_whole(&mut self, reply: &[u8]) -> bool {
        self.receipt.as_mut().is_some_and(|receipt| receipt.take_whole(reply))
    }
}

impl Listener for Ears {
    fn named(&mut self, key: &Word, depth: u32) -> bool {
        if let Some(terminal) = &mut self.terminal {
            terminal.named(key, depth);
        }
        self.receipt.as_mut().is_some_and(|receipt| receipt.wants(key, depth))
    }

    fn hear(&mut self, token: Token<'_>) {
        if let Some(terminal) = &mut self.terminal {
            terminal.hear(token);
        }
        if let (Token::Ended, Some(receipt)) = (token, &mut self.receipt) {
            receipt.event_ended();
        }
    }

    fn value(&mut self, value: &[u8]) {
        if let Some(receipt) = &mut self.receipt {
            receipt.take(value);
        }
    }
}
