//! How large an image is, read from the first bytes of its data URL, so that a photo of megabytes costs no decoding.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};

/// The characters of base64 that are looked at first, 48 KB of image: a header with a thumbnail and a profile fits in.
const FIRST: usize = 64 * 1024;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Size {
    /// The size of the image in a data URL; `None` for any other URL, and where no size can be made out.
    pub(crate) fn of_data_url(url: &str) -> Option<Self> {
        let (kind, data) = url.strip_prefix("data:")?.split_once(',')?;
        if !kind.ends_with(";base64") {
            return None;
        }
        let first = data.get(..FIRST).and_then(Self::of_base64);
        first.or_else(|| Self::of_base64(data))
    }

    fn of_base64(data: &str) -> Option<Self> {
        let size = imagesize::blob_size(&LENIENT.decode(data).ok()?).ok()?;
        Some(Self { width: size.width.try_into().ok()?, height: size.height.try_into().ok()? })
    }

    /// Shrunk, never enlarged, to fit into a frame.
    pub(crate) fn within(self, width: u32, height: u32) -> Self {
        let fit = |frame: u32, side: u32| f64::from(frame) / f64::from(side.max(1));
        self.times(fit(width, self.width).min(fit(height, self.height)).min(1.0))
    }

    pub(crate) fn times(self, scale: f64) -> Self {
        let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
        Self { width: side(self.width), height: side(self.height) }
    }

    /// How many squares of so many pixels cover the image.
    pub(crate) fn patches(self, side: u32) -> u64 {
        u64::from(self.width.div_ceil(side)) * u64::from(self.height.div_ceil(side))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOT: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z/C/HgAGgwJ/lK3Q6wAAAABJRU5ErkJggg==";

    #[track_caller]
    fn check(url: &str, expected: Option<(u32, u32)>) {
        assert_eq!(Size::of_data_url(url).map(|size| (size.width, size.height)), expected);
    }

    #[test]
    fn the_size_is_read_from_the_data() {
        check(&format!("data:image/png;base64,{DOT}"), Some((1, 1)));
        check("data:image/gif;base64,R0lGODlhAAIAAQAAACw=", Some((512, 256)));
    }

    #[test]
    fn the_first_bytes_suffice() {
        let photo = format!("{}{}", DOT.trim_end_matches('='), "A".repeat(FIRST));
        check(&format!("data:image/png;base64,{photo}!"), Some((1, 1)));
    }

    #[test]
    fn a_header_behind_a_long_preface_is_found_as_well() {
        let segment = [&[0xff, 0xe2, 0xff, 0xff][..], &[0; 0xfffd]].concat();
        let frame = [0xff, 0xc0, 0, 17, 8, 1, 0, 2, 0, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
        let jpeg = [&[0xff, 0xd8][..], &segment, &frame, &[0; 64]].concat();
        check(&format!("data:image/jpeg;base64,{}", LENIENT.encode(jpeg)), Some((512, 256)));
    }

    #[test]
    fn no_size_is_made_up() {
        check("https://example.com/a.png", None);
        check("data:image/png;base64,", None);
        check("data:image/png;base64,????", None);
        check("data:image/svg+xml,<svg/>", None);
        check("data:image/png;base64,ééééé", None);
        check("data:text/plain;base64,aGVsbG8=", None);
    }
}
