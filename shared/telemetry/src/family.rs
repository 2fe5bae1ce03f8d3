//! Series that are told apart by labels, of which there are never too many: a model's name is the caller's to choose, and
//! each new one would otherwise cost memory here and money at whoever keeps the metrics.

use std::collections::{BTreeMap, BTreeSet};

/// What tells one series from another.
pub type Labels = Vec<(&'static str, String)>;

/// The label of the series that all go into for which there is no more room; the name is OpenTelemetry's.
pub(crate) const OVERFLOW: &str = "otel.metric.overflow";

/// The series of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Family<T> {
    series: BTreeMap<Labels, T>,
    most: usize,
}

impl<T> Family<T> {
    /// A family of this many series at most, and one for the rest.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { series: BTreeMap::new(), most }
    }

    /// The series of these labels, which begins as `new` says.
    pub fn of(&mut self, labels: Labels, new: impl FnOnce() -> T) -> &mut T {
        let fits = self.series.len() < self.most || self.series.contains_key(&labels);
        let labels = if fits { labels } else { vec![(OVERFLOW, "true".to_owned())] };
        self.series.entry(labels).or_insert_with(new)
    }

    /// Every series, in the order of its labels.
    pub fn iter(&self) -> impl Iterator<Item = (&Labels, &T)> {
        self.series.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}

impl Family<f64> {
    /// Adds to the sum of a series.
    pub fn add(&mut self, labels: Labels, amount: f64) {
        *self.of(labels, || 0.0) += amount;
    }
}

/// The first names that came, and one for all the others.
#[derive(Debug, Clone)]
pub struct Names {
    known: BTreeSet<String>,
    most: usize,
}

impl Names {
    /// Room for this many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { known: BTreeSet::new(), most }
    }

    /// A name as it may be told.
    pub fn admit(&mut self, name: &str) -> String {
        if !self.known.contains(name) {
            // A name is also as long as its caller likes.
            if self.known.len() >= self.most || name.len() > 128 {
                return "other".to_owned();
            }
            self.known.insert(name.to_owned());
        }
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, Names, OVERFLOW};

    #[test]
    fn beyond_its_bound_a_family_has_one_series_for_the_rest() {
        let mut family = Family::new(2);
        for name in ["a", "b", "c", "d", "a"] {
            family.add(vec![("name", name.to_owned())], 1.0);
        }
        let told: Vec<_> = family.iter().map(|(labels, sum)| (labels[0].0, *sum)).collect();
        assert_eq!(told, [("name", 2.0), ("name", 1.0), (OVERFLOW, 2.0)]);
    }

    #[test]
    fn the_names_that_came_first_stay_and_the_rest_is_other() {
        let mut names = Names::new(2);
        let told: Vec<_> = ["a", "b", "c", "a", &"x".repeat(129)].map(|name| names.admit(name)).into();
        assert_eq!(told, ["a", "b", "other", "a", "other"]);
    }
}
