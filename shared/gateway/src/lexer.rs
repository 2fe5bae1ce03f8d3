//! Reads the JSON of a reply as it passes, just far enough to know which key stands how deep.
//!
//! One pass for all who listen, over the bytes as they come in pieces: strings are hopped over with `memchr`, and nothing
//! is copied but a short word and the one value that a listener asked for. It believes nothing about the bytes: whatever
//! they are, it comes to their end, and what is no JSON merely tells nobody anything.

use memchr::{memchr2, memchr3};

/// The longest value that is kept. The largest usage that a provider tells has less than one.
pub(crate) const LONGEST_VALUE: usize = 4 * 1024;

/// Room for a usage as providers tell it, so that it is kept without growing.
const USUAL_VALUE: usize = 512;

/// Hears of what a reply's JSON consists of.
pub(crate) trait Listener {
    /// A key, and in how many objects it stands. Whether its value is wanted, if that is an object or a string.
    fn named(&mut self, key: &Word, depth: u32) -> bool;
    /// Anything else.
    fn hear(&mut self, token: Token<'_>);
    /// A value that was wanted.
    fn value(&mut self, value: &[u8]);
}

/// What JSON consists of, as far as anybody needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Token<'a> {
    /// An object begins.
    Opened,
    /// A string has ended: a key, of which its colon will tell, or the value of one.
    Text(&'a Word),
    /// `[DONE]`, which is an event of its own.
    Done,
    /// What follows is not the value of the last key.
    Parted,
    /// Nor does it belong to the same event.
    Ended,
}

/// How the JSON is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// In the `data:` of server-sent events.
    Events,
    /// Not at all.
    Whole,
}

/// Where in a reply's JSON we are.
#[derive(Debug)]
pub(crate) struct Lexer {
    framing: Framing,
    place: Place,
    /// Whether the last byte was a carriage return, to which a line feed may belong.
    after_return: bool,
    /// In how many objects we are.
    depth: u32,
    /// The last string, or the literal outside of all objects, or what is there of it.
    word: Word,
    /// The value that a listener wants, or what is there of it.
    kept: Vec<u8>,
    /// In how many objects the key of that value stands, while there is more of it to come.
    keeping: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the first bytes of a line, of which this many have been those of `data:`.
    Field(usize),
    /// Between the strings of the JSON.
    Json,
    /// In an array of what may be thousands of numbers.
    Numbers,
    /// In a string, and perhaps right after a backslash.
    Text { escaped: bool },
    /// In a line of no interest.
    Other,
}

impl Lexer {
    pub(crate) fn of(framing: Framing) -> Self {
        Self {
            framing,
            place: framing.beginning(),
            after_return: false,
            depth: 0,
            word: Word::default(),
            kept: Vec::new(),
            keeping: None,
        }
    }

    /// Whether an event has ended and no other has begun.
    pub(crate) fn is_between_events(&self) -> bool {
        self.place == Place::Field(0) && self.depth == 0 && self.keeping.is_none()
    }

    /// Reads the next bytes.
    pub(crate) fn read(&mut self, data: &[u8], listener: &mut impl Listener) {
        let mut rest = data;
        while let Some(&next) = rest.first() {
            let taken = self.skip(rest);
            if taken == 0 {
                self.byte(next, listener);
            }
            rest = &rest[taken.max(1)..];
        }
    }

    /// Takes what nothing can stand in that matters; says how much that was.
    fn skip(&mut self, rest: &[u8]) -> usize {
        let end = match self.place {
            Place::Other => memchr2(b'\n', b'\r', rest),
            Place::Text { escaped: false } => memchr3(b'"', b'\\', b'\n', rest),
            Place::Numbers => memchr3(b'"', b'{', b']', rest),
            Place::Field(_) | Place::Json | Place::Text { escaped: true } => return 0,
        };
        let skipped = &rest[..end.unwrap_or(rest.len())];
        if self.place == (Place::Text { escaped: false }) {
            self.word.push(skipped);
        }
        if !skipped.is_empty() {
            self.after_return = false;
            self.keep(skipped);
        }
        skipped.len()
    }

    fn byte(&mut self, byte: u8, listener: &mut impl Listener) {
        let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
        match (byte, self.place) {
            (b'\n' | b'\r', _) if self.framing == Framing::Whole => {}
            (b'\n', _) if after_return => {}
            (b'\n' | b'\r', _) => self.line_ended(listener),
            (_, Place::Field(known)) => self.place = field(known, byte),
            (_, Place::Json | Place::Numbers) => self.json(byte, listener),
            (_, Place::Text { .. }) => self.text(byte, listener),
            (_, Place::Other) => {}
        }
    }

    /// An empty line ends an event, and with it its JSON.
    fn line_ended(&mut self, listener: &mut impl Listener) {
        if self.place == Place::Field(0) {
            (self.depth, self.keeping) = (0, None);
            listener.hear(Token::Ended);
        }
        self.place = Place::Field(0);
    }

    fn json(&mut self, byte: u8, listener: &mut impl Listener) {
        self.place = Place::Json;
        self.keep(&[byte]);
        match byte {
            b'"' => (self.place, self.word) = (Place::Text { escaped: false }, Word::default()),
            b':' => self.named(listener),
            b'{' => {
                self.depth = self.depth.saturating_add(1);
                listener.hear(Token::Opened);
            }
            b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.value_ended(listener);
                listener.hear(Token::Parted);
            }
            b']' if self.depth == 0 && self.word.is(b"DONE") => listener.hear(Token::Done),
            b']' | b' ' | b'\t' => {}
            b'[' | b',' => self.parted(byte, listener),
            // Of literals only `[DONE]` matters.
            _ if self.depth == 0 => self.word.push(&[byte]),
            _ => {}
        }
    }

    /// An array begins, or a value ends, of which nobody needs more.
    fn parted(&mut self, byte: u8, listener: &mut impl Listener) {
        self.word = Word::default();
        self.keeping = self.keeping.filter(|depth| *depth != self.depth);
        if byte == b'[' && self.framing == Framing::Whole {
            self.place = Place::Numbers;
        }
        listener.hear(Token::Parted);
    }

    fn named(&mut self, listener: &mut impl Listener) {
        if listener.named(&self.word, self.depth) && self.keeping.is_none() {
            self.kept.clear();
            self.kept.reserve(USUAL_VALUE);
            self.keeping = Some(self.depth);
        }
    }

    fn text(&mut self, byte: u8, listener: &mut impl Listener) {
        self.keep(&[byte]);
        match (byte, self.place) {
            (b'\\', Place::Text { escaped: false }) => self.place = Place::Text { escaped: true },
            (b'"', Place::Text { escaped: false }) => {
                self.place = Place::Json;
                self.value_ended(listener);
                listener.hear(Token::Text(&self.word));
            }
            _ => {
                // What anybody looks for has no escapes, so a word with one is none of theirs.
                self.word.spoil();
                self.place = Place::Text { escaped: false };
            }
        }
    }

    /// Adds to the value that is wanted. One that grows too long is wanted no more.
    fn keep(&mut self, bytes: &[u8]) {
        if self.keeping.is_none() {
        } else if self.kept.len() + bytes.len() > LONGEST_VALUE {
            self.keeping = None;
        } else {
            self.kept.extend_from_slice(bytes);
        }
    }

    /// A string or an object has ended, perhaps the one that is wanted; or the object that has none, but a literal.
    fn value_ended(&mut self, listener: &mut impl Listener) {
        let Some(depth) = self.keeping.filter(|depth| self.depth <= *depth) else { return };
        self.keeping = None;
        if depth == self.depth {
            listener.value(&self.kept);
        }
    }
}

impl Framing {
    fn beginning(self) -> Place {
        match self {
            Self::Events => Place::Field(0),
            Self::Whole => Place::Json,
        }
    }
}

/// What a byte makes of the beginning of a line.
fn field(known: usize, byte: u8) -> Place {
    match b"data:".get(known) {
        Some(&expected) if expected == byte && known == 4 => Place::Json,
        Some(&expected) if expected == byte => Place::Field(known + 1),
        _ => Place::Other,
    }
}

/// A word that may be one of those looked for; the bytes of any longer one are not kept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Word {
    bytes: [u8; Self::LONGEST],
    length: usize,
}

impl Word {
    /// `response.incomplete` has 19.
    const LONGEST: usize = 20;

    fn push(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(bytes);
        }
        self.length = end;
    }

    fn spoil(&mut self) {
        self.length = usize::MAX;
    }

    pub(crate) fn is(&self, wanted: &[u8]) -> bool {
        self.bytes.get(..self.length) == Some(wanted)
    }
}
