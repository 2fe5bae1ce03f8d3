//! Reads server-sent events out of bytes, however they are cut, and writes them.
//!
//! Takes what providers really send: LF, CRLF or CR, a byte-order mark, comments, `data:` with and without a space, data
//! of several lines, UTF-8 cut in the middle. One event has a size limit, so that no provider fills the memory.

use std::ops::Range;

use memchr::memchr2;
use serde_json::Value;

/// The largest event, in bytes: an image of some megabytes in base64 passes.
pub const MAX_EVENT: usize = 32 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// What its `event:` line says, empty where it has none.
    pub name: &'a str,
    /// Its data, lines joined by line feeds.
    pub data: &'a str,
}

/// An event that is larger than [`MAX_EVENT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Collects bytes and hands out events.
#[derive(Debug, Default)]
pub struct Reader {
    /// Bytes of the line that is not whole yet.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return, to which a line feed may belong.
    after_return: bool,
    begun: bool,
    name: String,
    data: String,
    has_data: bool,
}

impl Reader {
    /// Takes the next bytes and calls `found` with every event they complete.
    ///
    /// # Errors
    /// [`TooLarge`], after which nothing more can be read.
    pub fn push(&mut self, bytes: &[u8], mut found: impl FnMut(&Event<'_>)) -> Result<(), TooLarge> {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', rest) else {
                self.line.extend_from_slice(rest);
                return self.check();
            };
            self.after_return = rest[end] == b'\r';
            if self.line.is_empty() {
                self.take(&rest[..end], &mut found);
            } else {
                self.line.extend_from_slice(&rest[..end]);
                let line = std::mem::take(&mut self.line);
                self.take(&line, &mut found);
            }
            self.check()?;
            rest = &rest[end + 1..];
        }
        Ok(())
    }

    /// Hands out an event that its provider closed the stream on without the blank line after it.
    pub fn end(&mut self, mut found: impl FnMut(&Event<'_>)) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take(&line, &mut found);
        }
        self.dispatch(&mut found);
    }

    fn check(&self) -> Result<(), TooLarge> {
        if self.line.len() + self.data.len() > MAX_EVENT { Err(TooLarge) } else { Ok(()) }
    }

    fn take(&mut self, line: &[u8], found: &mut impl FnMut(&Event<'_>)) {
        let line = if self.begun { line } else { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) };
        self.begun = true;
        if line.is_empty() {
            return self.dispatch(found);
        }
        let (field, value) = split(line);
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(&String::from_utf8_lossy(&line[value]));
            }
            b"event" => self.name = String::from_utf8_lossy(&line[value]).into_owned(),
            _ => {}
        }
    }

    fn dispatch(&mut self, found: &mut impl FnMut(&Event<'_>)) {
        if self.has_data {
            found(&Event { name: &self.name, data: &self.data });
        }
        self.has_data = false;
        self.data.clear();
        self.name.clear();
    }
}

/// Writes an event that is named by its data's `type`, as Anthropic and the responses API name theirs.
///
/// The name's line is not optional: without it Anthropic's SDK sees nothing.
pub fn write_typed(data: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(data["type"].as_str().unwrap_or_default().as_bytes());
    out.push(b'\n');
    write_data(data, out);
}

/// Writes an event without a name.
pub fn write_data(data: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    // Into memory, and of values that have string keys only: this cannot fail.
    let _ = serde_json::to_writer(&mut *out, data);
    out.extend_from_slice(b"\n\n");
}

/// A line's field, and where its value is: after the colon and one space.
fn split(line: &[u8]) -> (&[u8], Range<usize>) {
    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
    let after = (colon + 1).min(line.len());
    let value = if line.get(after) == Some(&b' ') { after + 1 } else { after };
    (&line[..colon], value..line.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_EVENT, Reader, TooLarge};

    /// The events of bytes that come in these pieces.
    pub(crate) fn events(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let (mut reader, mut events) = (Reader::default(), Vec::new());
        for piece in pieces {
            let keep = |event: &super::Event<'_>| events.push((event.name.to_owned(), event.data.to_owned()));
            reader.push(piece, keep).unwrap();
        }
        reader.end(|event| events.push((event.name.to_owned(), event.data.to_owned())));
        events
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let read = events(&[text.as_bytes()]);
        let read: Vec<_> = read.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
        assert_eq!(read, expected, "{text:?}");
    }

    #[test]
    fn events_are_read_however_providers_spell_them() {
        check("data: a\n\ndata: b\n\n", &[("", "a"), ("", "b")]);
        check("data:a\r\n\r\ndata:  b\r\r", &[("", "a"), ("", " b")]);
        check("\u{feff}event: x\ndata: a\n\n", &[("x", "a")]);
        check(": comment\n\nid: 7\nretry: 1\ndata: a\ndata: b\n\n", &[("", "a\nb")]);
        check("data\n\n", &[("", "")]);
        check("event: lonely\n\ndata: a\n\n", &[("", "a")]);
        check("data: unfinished", &[("", "unfinished")]);
        check("data: a\r\n\r\n\r\ndata: b\n\n", &[("", "a"), ("", "b")]);
    }

    #[test]
    fn an_event_over_the_limit_is_refused() {
        let mut reader = Reader::default();
        let mebibyte = vec![b'x'; 1024 * 1024];
        let mut pushed = Ok(());
        for _ in 0..=MAX_EVENT / mebibyte.len() {
            pushed = pushed.and_then(|()| reader.push(&mebibyte, |_| {}));
        }
        assert_eq!(pushed, Err(TooLarge));
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_events(
            text in "(data|event|id|: c|\u{feff}|é|:| |\r|\n|\r\n|x){0,40}",
            at in 0usize..200,
            and in 0usize..200,
        ) {
            let bytes = text.as_bytes();
            let (first, second) = (at.min(bytes.len()), and.min(bytes.len()));
            let (first, second) = (first.min(second), first.max(second));
            let split = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            prop_assert_eq!(events(&split), events(&[bytes]));
        }
    }
}
