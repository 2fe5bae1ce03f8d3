//! How often a measurement fell between which bounds.

/// Counts of measurements, by the bound that they do not exceed.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    range: Option<(f64, f64)>,
}

impl Histogram {
    /// An empty one with these bounds, which rise.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0, range: None }
    }

    /// Counts a measurement.
    pub fn observe(&mut self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.counts[place] += 1;
        self.sum += value;
        self.widen(value, value);
    }

    /// Adds what another of the same bounds has counted.
    pub fn absorb(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.sum += other.sum;
        if let Some((low, high)) = other.range {
            self.widen(low, high);
        }
    }

    /// The bounds.
    #[must_use]
    pub fn bounds(&self) -> &'static [f64] {
        self.bounds
    }

    /// How many measurements fell at or below each bound and above the one before; the last, above them all.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The smallest and the largest.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    fn widen(&mut self, low: f64, high: f64) {
        let (least, most) = self.range.unwrap_or((low, high));
        self.range = Some((least.min(low), most.max(high)));
    }
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn a_measurement_counts_at_the_bound_that_it_does_not_exceed() {
        let mut histogram = Histogram::new(&[1.0, 4.0]);
        [0.0, 1.0, 1.5, 4.0, 5.0].into_iter().for_each(|value| histogram.observe(value));
        assert_eq!(histogram.counts(), [2, 2, 1]);
        assert_eq!((histogram.count(), histogram.sum(), histogram.range()), (5, 11.5, Some((0.0, 5.0))));
        let mut other = Histogram::new(&[1.0, 4.0]);
        other.absorb(&histogram);
        other.absorb(&histogram);
        assert_eq!((other.counts(), other.sum()), (&[4, 4, 2][..], 23.0));
        assert_eq!(other.range(), Some((0.0, 5.0)));
    }
}
