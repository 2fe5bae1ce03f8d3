//! The event stream that Lambda wraps a streamed answer in, written by the book and not with the library that reads it.

use bytes::Bytes;

/// A piece of a function's payload.
#[must_use]
pub fn chunk(payload: &[u8]) -> Bytes {
    frame("PayloadChunk", "application/octet-stream", payload)
}

/// The end of an invocation; with an error code, of one that failed.
#[must_use]
pub fn complete(error: Option<&str>) -> Bytes {
    let told = error.map_or_else(
        || serde_json::json!({}),
        |code| serde_json::json!({ "ErrorCode": code, "ErrorDetails": "{}" }),
    );
    frame("InvokeComplete", "application/json", told.to_string().as_bytes())
}

/// Length, length of the headers, checksum of both; headers; payload; checksum of everything.
fn frame(event: &str, kind: &str, payload: &[u8]) -> Bytes {
    let headers = [(":message-type", "event"), (":event-type", event), (":content-type", kind)];
    let headers: Vec<u8> = headers.iter().flat_map(|(name, value)| header(name, value)).collect();
    let mut frame = [number(16 + headers.len() + payload.len()), number(headers.len())].concat();
    frame.extend(crc32(&frame).to_be_bytes());
    frame.extend_from_slice(&headers);
    frame.extend_from_slice(payload);
    frame.extend(crc32(&frame).to_be_bytes());
    frame.into()
}

fn number(n: usize) -> [u8; 4] {
    u32::try_from(n).expect("a frame of less than 4 GiB").to_be_bytes()
}

/// A name with its length, 7 for "a string", a value with its length.
fn header(name: &str, value: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a short name");
    let mut header = vec![length];
    header.extend_from_slice(name.as_bytes());
    header.push(7);
    header.extend(u16::try_from(value.len()).expect("a short value").to_be_bytes());
    header.extend_from_slice(value.as_bytes());
    header
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    };
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_the_one_everybody_means() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
    }
}
