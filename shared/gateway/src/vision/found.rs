//! Names what was sent in place of an image, so that its sender knows what went wrong.

/// What bytes are, for people.
#[must_use]
pub(super) fn name(bytes: &[u8]) -> &'static str {
    match bytes {
        [] => "empty",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'B', b'M', ..] => "a BMP image",
        [b'I', b'I', 0x2a, 0, ..] | [b'M', b'M', 0, 0x2a, ..] => "a TIFF image",
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => boxed(brand),
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', b' ', ..] => "a JPEG XL image",
        [0, 0, 1, 0, ..] => "an icon",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive",
        [0x1f, 0x8b, ..] => "a gzip file",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "a video",
        _ => text(bytes),
    }
}

/// A file of ISO's format, which holds photos and films alike: its brand tells them apart.
fn boxed(brand: &[u8]) -> &'static str {
    match brand.get(..4).unwrap_or_default() {
        // What iPhones take unless they are told to take the most compatible.
        b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => "a HEIC image",
        b"avif" | b"avis" => "an AVIF image",
        _ => "a video",
    }
}

fn text(bytes: &[u8]) -> &'static str {
    let start = &bytes[..bytes.len().min(256)];
    // A cut may have gone through a character.
    let valid =
        std::str::from_utf8(start).map_or_else(|error| error.valid_up_to() + 4 > start.len(), |_| true);
    let start = String::from_utf8_lossy(start).to_ascii_lowercase();
    match start.trim_start() {
        _ if !valid || start.contains('\0') => "of a kind that is not known here",
        start if start.starts_with("<!doctype html") || start.starts_with("<html") => "an HTML page",
        start if start.contains("<svg") => "an SVG drawing",
        start if start.starts_with('{') || start.starts_with('[') => "JSON",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn what_people_send_by_mistake_has_a_name() {
        for (bytes, expected) in [
            (&b""[..], "empty"),
            (b"%PDF-1.7", "a PDF document"),
            (b"BM\x36\x04", "a BMP image"),
            (b"II*\0\x08", "a TIFF image"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC image"),
            (b"\0\0\0\x1cftypavif", "an AVIF image"),
            (b"\0\0\0\x20ftypisom", "a video"),
            (b"\0\0\0\x20ftyp", "a video"),
            (b"\xff\x0a\xfa", "a JPEG XL image"),
            (b"PK\x03\x04", "a ZIP archive"),
            (b"\x1f\x8b\x08", "a gzip file"),
            (b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\">", "an SVG drawing"),
            (b"\n<!DOCTYPE html><html>", "an HTML page"),
            (b"{\"error\": 1}", "JSON"),
            ("Grüße".as_bytes(), "text"),
            (b"\xfe\xed\xfa\xce\x01\x02\x03\x04\x05", "of a kind that is not known here"),
            (b"a\0b", "of a kind that is not known here"),
        ] {
            assert_eq!(name(bytes), expected, "{bytes:?}");
        }
        assert_eq!(name("ä".repeat(200).as_bytes()), "text", "cut within a character or not");
        assert_eq!(name(format!("a{}", "ä".repeat(200)).as_bytes()), "text");
    }
}
