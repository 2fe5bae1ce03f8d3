//! Histograms of several instruments, gathered until they are told to a collector.

use crate::attribute::{Resource, Value, key_value};
use crate::family::{Family, Labels, OVERFLOW};
use crate::histogram::Histogram;
use crate::proto::Message;

/// What is measured.
#[derive(Debug, PartialEq)]
pub struct Instrument {
    /// Its name.
    pub name: &'static str,
    /// The unit of its measurements.
    pub unit: &'static str,
    /// What it measures, in a sentence.
    pub description: &'static str,
    /// The bounds of its histograms.
    pub bounds: &'static [f64],
}

/// From when on what is told counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporality {
    /// Since the last time. For functions, of which many live side by side and none for long.
    Delta,
    /// Since the process began, so that nothing is missing where a message was lost.
    Cumulative,
}

/// Measurements so far.
#[derive(Debug)]
pub struct Meter {
    temporality: Temporality,
    /// How many series an instrument has at most.
    most: usize,
    gathered: Batch,
}

/// Measurements that are ready to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Nanoseconds since 1970.
    since: u64,
    families: Vec<(&'static Instrument, Family<Histogram>)>,
}

impl Meter {
    /// A meter that begins now, in nanoseconds since 1970.
    #[must_use]
    pub fn new(temporality: Temporality, most: usize, now: u64) -> Self {
        Self { temporality, most, gathered: Batch { since: now, families: Vec::new() } }
    }

    /// Takes a measurement.
    pub fn observe(&mut self, instrument: &'static Instrument, labels: Labels, value: f64) {
        let most = self.most;
        let family = self.gathered.family(instrument, most);
        family.of(labels, || Histogram::new(instrument.bounds)).observe(value);
    }

    /// What is to be told now; `None` where nothing was measured.
    pub fn take(&mut self, now: u64) -> Option<Batch> {
        if self.gathered.families.is_empty() {
            return None;
        }
        Some(match self.temporality {
            Temporality::Cumulative => self.gathered.clone(),
            Temporality::Delta => {
                std::mem::replace(&mut self.gathered, Batch { since: now, families: Vec::new() })
            }
        })
    }

    /// Takes back what the collector has certainly not taken.
    pub fn put_back(&mut self, batch: Batch) {
        if self.temporality == Temporality::Cumulative {
            return;
        }
        self.gathered.since = batch.since;
        for (instrument, family) in batch.families {
            let most = self.most;
            for (labels, histogram) in family.iter() {
                let ours = self.gathered.family(instrument, most);
                ours.of(labels.clone(), || Histogram::new(instrument.bounds)).absorb(histogram);
            }
        }
    }

    /// The request that tells a batch to a collector (OTLP's `ExportMetricsServiceRequest`).
    #[must_use]
    pub fn request(&self, batch: &Batch, resource: &Resource, now: u64) -> Vec<u8> {
        let temporality = match self.temporality {
            Temporality::Delta => 1,
            Temporality::Cumulative => 2,
        };
        resource.wrap(|scope| {
            for (instrument, family) in &batch.families {
                let points =
                    family.iter().map(|(labels, histogram)| point(labels, histogram, batch.since, now));
                scope.message(2, &metric(instrument, points, temporality));
            }
        })
    }
}

impl Batch {
    fn family(&mut self, instrument: &'static Instrument, most: usize) -> &mut Family<Histogram> {
        let known = self.families.iter().position(|(known, _)| known.name == instrument.name);
        let place = known.unwrap_or_else(|| {
            self.families.push((instrument, Family::new(most)));
            self.families.len() - 1
        });
        &mut self.families[place].1
    }
}

fn metric(instrument: &Instrument, points: impl Iterator<Item = Message>, temporality: i64) -> Message {
    let (mut metric, mut data) = (Message::default(), Message::default());
    points.for_each(|point| data.message(1, &point));
    data.integer(2, temporality);
    metric.text(1, instrument.name);
    metric.text(2, instrument.description);
    metric.text(3, instrument.unit);
    metric.message(9, &data);
    metric
}

fn point(labels: &Labels, histogram: &Histogram, since: u64, now: u64) -> Message {
    let mut point = Message::default();
    point.fixed64(2, since);
    point.fixed64(3, now);
    point.fixed64(4, histogram.count());
    point.double(5, histogram.sum());
    point.packed(6, histogram.counts().iter().copied());
    point.packed(7, histogram.bounds().iter().map(|bound| bound.to_bits()));
    for (name, text) in labels {
        let value = if *name == OVERFLOW { true.into() } else { Value::from(text.as_str()) };
        point.message(9, &key_value(name, &value));
    }
    if let Some((least, most)) = histogram.range() {
        point.double(11, least);
        point.double(12, most);
    }
    point
}

#[cfg(test)]
mod tests {
    use super::{Instrument, Meter, Temporality};
    use crate::attribute::Resource;

    static TOKENS: Instrument =
        Instrument { name: "tokens", unit: "{token}", description: "Tokens.", bounds: &[1.0, 4.0] };

    /// Decoded with opentelemetry-proto 1.45 for Python, and found to say what was measured, on 2026-11-21.
    const GOLDEN: &str = include_str!("meter.golden");

    fn measured(temporality: Temporality) -> Meter {
        let mut meter = Meter::new(temporality, 2, 1_000);
        for (model, tokens) in [("a", 1.0), ("a", 3.0), ("b", 9.0), ("c", 2.0)] {
            meter.observe(&TOKENS, vec![("model", model.to_owned())], tokens);
        }
        meter
    }

    #[test]
    fn measurements_are_written_as_otlp_says() {
        let mut meter = measured(Temporality::Delta);
        let batch = meter.take(2_000).unwrap();
        let written = meter.request(&batch, &Resource { version: "1.2.3", ..Resource::default() }, 2_000);
        let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, GOLDEN.split_whitespace().collect::<String>());
    }

    #[test]
    fn a_delta_is_told_once_unless_it_is_put_back() {
        let mut meter = measured(Temporality::Delta);
        let batch = meter.take(2_000).unwrap();
        assert_eq!(meter.take(3_000), None);
        meter.observe(&TOKENS, vec![("model", "a".to_owned())], 5.0);
        meter.put_back(batch.clone());
        let both = meter.take(4_000).unwrap();
        assert_eq!(both.since, 1_000);
        let first = both.families[0].1.iter().next().unwrap().1;
        assert_eq!((first.count(), first.sum()), (3, 9.0));
    }

    #[test]
    fn what_is_cumulative_is_told_every_time() {
        let mut meter = measured(Temporality::Cumulative);
        let batch = meter.take(2_000).unwrap();
        meter.put_back(batch.clone());
        assert_eq!(meter.take(3_000), Some(batch));
        assert_eq!(Meter::new(Temporality::Cumulative, 2, 0).take(1), None);
    }
}
