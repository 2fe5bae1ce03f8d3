//! Prometheus's text format, version 0.0.4.

use std::fmt::Write;

use crate::family::{Family, Labels};
use crate::histogram::Histogram;

/// A page of metrics, being written.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// The type that the page is served under.
    pub const TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Adds sums that only grow.
    pub fn counters(&mut self, name: &str, help: &str, family: &Family<f64>) {
        self.head(name, help, "counter");
        family.iter().for_each(|(labels, sum)| self.sample(name, labels, None, *sum));
    }

    /// Adds one sum that only grows.
    pub fn counter(&mut self, name: &str, help: &str, sum: f64) {
        self.head(name, help, "counter");
        self.sample(name, &Labels::new(), None, sum);
    }

    /// Adds a number as it is now.
    pub fn gauge(&mut self, name: &str, help: &str, labels: &Labels, now: f64) {
        self.head(name, help, "gauge");
        self.sample(name, labels, None, now);
    }

    /// Adds histograms.
    pub fn histograms(&mut self, name: &str, help: &str, family: &Family<Histogram>) {
        self.head(name, help, "histogram");
        for (labels, histogram) in family.iter() {
            let bounds = histogram.bounds().iter().map(f64::to_string).chain(["+Inf".to_owned()]);
            let mut below = 0;
            for (bound, count) in bounds.zip(histogram.counts()) {
                below += count;
                self.sample(&format!("{name}_bucket"), labels, Some(&bound), below as f64);
            }
            self.sample(&format!("{name}_sum"), labels, None, histogram.sum());
            self.sample(&format!("{name}_count"), labels, None, below as f64);
        }
    }

    /// The page.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &Labels, bound: Option<&str>, value: f64) {
        let labels = labels.iter().map(|(name, value)| (*name, value.as_str()));
        let pairs: Vec<String> = labels.chain(bound.map(|bound| ("le", bound))).map(pair).collect();
        let pairs = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
        let _ = writeln!(self.0, "{name}{pairs} {value}");
    }
}

/// A label, whose name may have no dots, and whose value may have anything once it is escaped.
fn pair((name, value): (&str, &str)) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{}=\"{value}\"", name.replace('.', "_"))
}

#[cfg(test)]
mod tests {
    use super::Page;
    use crate::{Family, Histogram};

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let (mut page, mut calls, mut seconds) = (Page::default(), Family::new(1), Family::new(9));
        calls.add(vec![("service", "a\"\\\nb".to_owned())], 1.0);
        calls.add(vec![("service", "c".to_owned())], 2.0);
        page.counters("calls_total", "Calls.", &calls);
        let histogram = seconds.of(vec![("service", "a".to_owned())], || Histogram::new(&[0.01, 1.0]));
        [0.01, 0.5, 2.0].into_iter().for_each(|value| histogram.observe(value));
        page.histograms("call_seconds", "Time.", &seconds);
        page.gauge("open", "Now.", &Vec::new(), 3.0);
        let expected = "# HELP calls_total Calls.\n# TYPE calls_total counter\n\
            calls_total{otel_metric_overflow=\"true\"} 2\n\
            calls_total{service=\"a\\\"\\\\\\nb\"} 1\n\
            # HELP call_seconds Time.\n# TYPE call_seconds histogram\n\
            call_seconds_bucket{service=\"a\",le=\"0.01\"} 1\n\
            call_seconds_bucket{service=\"a\",le=\"1\"} 2\n\
            call_seconds_bucket{service=\"a\",le=\"+Inf\"} 3\n\
            call_seconds_sum{service=\"a\"} 2.51\n\
            call_seconds_count{service=\"a\"} 3\n\
            # HELP open Now.\n# TYPE open gauge\nopen 3\n";
        assert_eq!(page.into_text(), expected);
    }
}
