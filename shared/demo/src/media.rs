//! Makes small files of well-known formats by hand: a picture, a tone, a compressed text.

use crate::noise;

/// The side of the demo's pictures, in pixels.
const SIDE: u32 = 64;
/// The demo's tone: 440 Hz for a quarter of a second.
const RATE: u32 = 16_000;
const HERTZ: u32 = 440;

/// A square PNG in two colours that follow from the text.
pub(crate) fn png(text: &str) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let size = SIDE.to_be_bytes();
    // 8 bits per channel, RGB, the only compression and filter methods there are, not interlaced.
    chunk(&mut file, b"IHDR", &[&size[..], &size, &[8, 2, 0, 0, 0]].concat());
    chunk(&mut file, b"IDAT", &zlib(&pixels(noise::seed(text))));
    chunk(&mut file, b"IEND", &[]);
    file
}

/// Rows of a checkerboard, each led by its filter type (none).
fn pixels(seed: u64) -> Vec<u8> {
    let colours = [noise::mix(seed).to_le_bytes(), noise::mix(!seed).to_le_bytes()];
    let row = |y: u32| (0..SIDE).flat_map(move |x| colours[((x / 8 + y / 8) % 2) as usize][..3].to_vec());
    (0..SIDE).flat_map(|y| std::iter::once(0).chain(row(y))).collect()
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    let named = [name, data].concat();
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(&named);
    file.extend(crc32(&named).to_be_bytes());
}

/// A short tone as a 16-bit mono WAV.
pub(crate) fn wav() -> Vec<u8> {
    let samples: Vec<u8> = (0..RATE / 4).flat_map(|i| triangle(i).to_le_bytes()).collect();
    let length = samples.len() as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(samples);
    file
}

fn triangle(sample: u32) -> i16 {
    let phase = (sample * HERTZ * 40 / RATE % 40) as i16;
    (10 - (phase - 20).abs()) * 800
}

/// The bytes in a gzip file that stores them as they are.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    file.extend(stored(bytes));
    file.extend(crc32(bytes).to_le_bytes());
    file.extend((bytes.len() as u32).to_le_bytes());
    file
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    stream.extend(stored(bytes));
    stream.extend(adler32(bytes).to_be_bytes());
    stream
}

/// Deflate without compression: blocks of at most 65,535 bytes, the last one marked.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut blocks = bytes.chunks(0xffff).peekable();
    let mut stream = if bytes.is_empty() { vec![1, 0, 0, 0xff, 0xff] } else { Vec::new() };
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn adler32(bytes: &[u8]) -> u32 {
    let step = |(a, b): (u32, u32), byte: &u8| {
        ((a + u32::from(*byte)) % 65_521, (a + b + u32::from(*byte)) % 65_521)
    };
    let (a, b) = bytes.iter().fold((1, 0), step);
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_the_published_ones() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn a_picture_is_the_same_for_the_same_words_only() {
        assert_eq!(png("a cat"), png("a cat"));
        assert_ne!(png("a cat"), png("a dog"));
    }

    #[test]
    fn a_tone_says_how_long_it_is() {
        let file = wav();
        assert_eq!(u32::from_le_bytes(file[40..44].try_into().unwrap()) as usize, file.len() - 44);
        assert_eq!(u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize, file.len() - 8);
    }
}
