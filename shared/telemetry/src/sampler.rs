//! Decides which traces are told to the collector.

use crate::Parent;

/// How to choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// Whether a caller's own decision goes before ours.
    pub follows_parent: bool,
    /// The share of the other traces that is told, from 0 to 1.
    pub ratio: f64,
}

impl Default for Sampler {
    /// OpenTelemetry's own: everything, unless the caller says otherwise.
    fn default() -> Self {
        Self { follows_parent: true, ratio: 1.0 }
    }
}

impl Sampler {
    /// Whether a trace is told. All who sample by the same ratio choose the same traces, since its id decides.
    #[must_use]
    pub fn takes(&self, trace: &[u8; 16], parent: Option<&Parent>) -> bool {
        if let Some(parent) = parent.filter(|_| self.follows_parent) {
            return parent.is_sampled();
        }
        let [.., a, b, c, d, e, f, g, h] = *trace;
        let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1;
        // At 1.0 the bound is 2^63, above every number; at 0.0 none is below it.
        number < (self.ratio * 9_223_372_036_854_775_808.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Sampler;
    use crate::Parent;

    fn taken(ratio: f64, first: u8) -> bool {
        let mut trace = [0xff; 16];
        trace[8] = first;
        Sampler { follows_parent: true, ratio }.takes(&trace, None)
    }

    #[test]
    fn a_trace_s_id_decides_by_the_ratio() {
        for (ratio, first, expected) in [
            (1.0, 0xff, true),
            (0.0, 0x00, false),
            (0.5, 0x7f, true),
            (0.5, 0x80, false),
            (0.25, 0x3f, true),
            (0.25, 0x40, false),
        ] {
            assert_eq!(taken(ratio, first), expected, "{ratio} {first:x}");
        }
    }

    #[test]
    fn a_caller_s_decision_holds_where_it_is_followed() {
        let header = |flags: &str| format!("00-{}-{}-{flags}", "1".repeat(32), "2".repeat(16));
        for (follows_parent, ratio, flags, expected) in [
            (true, 0.0, "01", true),
            (true, 1.0, "00", false),
            (false, 0.0, "01", false),
            (false, 1.0, "00", true),
        ] {
            let parent = Parent::read(&header(flags)).unwrap();
            let sampler = Sampler { follows_parent, ratio };
            assert_eq!(sampler.takes(&parent.trace, Some(&parent)), expected, "{sampler:?} {flags}");
        }
    }
}
