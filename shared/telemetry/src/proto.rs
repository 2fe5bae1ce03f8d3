//! Writes protobuf messages, as far as OTLP needs it.

/// Followed by a varint.
const VARINT: u8 = 0;
/// Followed by eight bytes.
const FIXED64: u8 = 1;
/// Followed by a length and as many bytes.
const LENGTH: u8 = 2;
/// Followed by four bytes.
const FIXED32: u8 = 5;

/// A message being written, field by field.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// The bytes of the message.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// An `int64`, an `enum` or a `bool`. A negative number is its two's complement, which is what a cast makes of it.
    pub(crate) fn integer(&mut self, field: u8, value: i64) {
        self.key(field, VARINT);
        self.varint(value.cast_unsigned());
    }

    /// A `fixed32`.
    pub(crate) fn fixed32(&mut self, field: u8, value: u32) {
        self.key(field, FIXED32);
        self.0.extend(value.to_le_bytes());
    }

    /// A `fixed64`.
    pub(crate) fn fixed64(&mut self, field: u8, value: u64) {
        self.key(field, FIXED64);
        self.0.extend(value.to_le_bytes());
    }

    /// A `double`.
    pub(crate) fn double(&mut self, field: u8, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    /// `bytes`; none where there are none.
    pub(crate) fn bytes(&mut self, field: u8, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.length(field, bytes);
        }
    }

    /// A `string`; none where it is empty.
    pub(crate) fn text(&mut self, field: u8, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    /// A message within this one. An empty one is written, too: that it is there may mean something.
    pub(crate) fn message(&mut self, field: u8, inner: &Self) {
        self.length(field, &inner.0);
    }

    /// `repeated fixed64`, packed.
    pub(crate) fn packed(&mut self, field: u8, values: impl Iterator<Item = u64>) {
        let packed: Vec<u8> = values.flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &packed);
    }

    fn length(&mut self, field: u8, bytes: &[u8]) {
        self.key(field, LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn key(&mut self, field: u8, wire: u8) {
        self.varint(u64::from(field) << 3 | u64::from(wire));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    fn check(write: impl FnOnce(&mut Message), expected: &[u8]) {
        let mut message = Message::default();
        write(&mut message);
        assert_eq!(message.into_bytes(), expected);
    }

    /// The first four are the examples of protobuf's own documentation of its encoding.
    #[test]
    fn fields_are_written_as_protobuf_says() {
        check(|m| m.integer(1, 150), &[0x08, 0x96, 0x01]);
        check(|m| m.integer(1, -2), &[0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        check(|m| m.text(2, "testing"), &[0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
        check(
            |m| {
                let mut inner = Message::default();
                inner.integer(1, 150);
                m.message(3, &inner);
            },
            &[0x1a, 0x03, 0x08, 0x96, 0x01],
        );
        check(|m| m.fixed32(16, 0x0102), &[0x85, 0x01, 2, 1, 0, 0]);
        check(|m| m.double(4, 1.0), &[0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        check(
            |m| m.packed(6, [1, 2].into_iter()),
            &[0x32, 16, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
        );
        check(|m| m.text(1, ""), &[]);
        check(|m| m.message(1, &Message::default()), &[0x0a, 0]);
    }
}
