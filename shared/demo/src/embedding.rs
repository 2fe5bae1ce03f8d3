//! Vectors without meaning, but with manners: of length one, and equal for equal texts.

use crate::noise;

/// More numbers than any real model gives.
const MOST: u64 = 8_192;

/// The unit vector of a text.
pub(crate) fn vector(text: &str, dimensions: u64) -> Vec<f32> {
    let seed = noise::seed(text);
    let raw: Vec<f64> = (0..dimensions.clamp(1, MOST)).map(|i| coordinate(seed.wrapping_add(i))).collect();
    let length = raw.iter().map(|x| x * x).sum::<f64>().sqrt();
    raw.iter().map(|x| (x / length) as f32).collect()
}

/// A number from -1 to 1, never 0.
fn coordinate(number: u64) -> f64 {
    let part = (noise::mix(number) >> 40 | 1) as f64 / (1_u64 << 24) as f64;
    part * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_of_length_one_and_the_same_for_the_same_text() {
        let vector_of = |text| vector(text, 256);
        let length: f32 = vector_of("a").iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
        assert_eq!(vector_of("a"), vector_of("a"));
        assert_ne!(vector_of("a"), vector_of("b"));
    }
}
