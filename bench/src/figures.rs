//! Many durations, of which a few percentiles are told.

use std::time::Duration;

/// Durations in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<Duration>);

impl Figures {
    pub(crate) fn extend(&mut self, spans: impl IntoIterator<Item = Duration>) {
        self.0.extend(spans);
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The percentiles as JSON, in microseconds; `null` where there is nothing to tell.
    pub(crate) fn json(&mut self) -> String {
        self.0.sort_unstable();
        let us = |percent| self.at(percent).map(|span| span.as_secs_f64() * 1e6);
        match (us(50), us(99), us(100)) {
            (Some(p50), Some(p99), Some(max)) => {
                format!("{{\"p50\":{p50:.1},\"p99\":{p99:.1},\"max\":{max:.1}}}")
            }
            _ => "null".to_owned(),
        }
    }

    /// The duration that so many percent do not exceed (the nearest rank), once they are sorted.
    fn at(&self, percent: usize) -> Option<Duration> {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Figures;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut figures = Figures::default();
        figures.extend((1..=200).rev().map(Duration::from_micros));
        assert_eq!(figures.json(), "{\"p50\":100.0,\"p99\":198.0,\"max\":200.0}");
        assert_eq!(Figures::default().json(), "null");
    }
}
