//! What is noted of a call, and of all of them together.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::figures::Figures;

/// In an event of the mock provider, what comes before the time at which it left.
const STAMP: &[u8] = b"\"sent_ns\":";

/// How the last event of a stream begins: OpenAI's and Anthropic's.
const LAST: [&[u8]; 2] = [b"data: [DONE]", b"event: message_stop"];

/// One call being timed.
#[derive(Debug)]
pub(crate) struct Reading {
    begun: Instant,
    first_byte: Option<Duration>,
    total: Duration,
    events: Events,
}

/// The events of a call.
#[derive(Debug, Default)]
struct Events {
    /// The end of what has come, which may be the start of an event.
    rest: Vec<u8>,
    last: Option<Instant>,
    gaps: Vec<Duration>,
    transits: Vec<Duration>,
    done: bool,
}

/// All calls of a connection, or of all connections.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls that were not answered in full with a 200.
    pub(crate) failed: u64,
    totals: Figures,
    first_bytes: Figures,
    gaps: Figures,
    transits: Figures,
}

impl Reading {
    /// The request is about to leave.
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now(), first_byte: None, total: Duration::ZERO, events: Events::default() }
    }

    /// Some of the reply has come.
    pub(crate) fn data(&mut self, data: &[u8], stream: bool) {
        let now = Instant::now();
        self.first_byte.get_or_insert(now - self.begun);
        if stream {
            self.events.read(data, now);
        }
    }

    /// The reply has ended. Whether it was whole: a reply without a byte is not, nor is a stream without its end.
    pub(crate) fn end(&mut self, stream: bool) -> bool {
        self.total = self.begun.elapsed();
        self.first_byte.is_some() && (self.events.done || !stream)
    }
}

impl Events {
    fn read(&mut self, data: &[u8], now: Instant) {
        let clock = SystemTime::now();
        self.rest.extend_from_slice(data);
        while let Some(end) = find(&self.rest, b"\n\n") {
            let event: Vec<u8> = self.rest.drain(..end + 2).collect();
            self.done |= LAST.iter().any(|last| event.starts_with(last));
            if let Some(sent) = sent(&event) {
                self.transits.push(clock.duration_since(sent).unwrap_or_default());
                self.gaps.extend(self.last.replace(now).map(|last| now - last));
            }
        }
    }
}

/// When an event left the provider.
fn sent(event: &[u8]) -> Option<SystemTime> {
    let digits = &event[find(event, STAMP)? + STAMP.len()..];
    let digits = digits.split(|byte| !byte.is_ascii_digit()).next()?;
    let nanos = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(UNIX_EPOCH + Duration::from_nanos(nanos))
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

impl Tally {
    /// Counts a call that was answered.
    pub(crate) fn count(&mut self, reading: Reading) {
        self.totals.extend([reading.total]);
        self.first_bytes.extend(reading.first_byte);
        self.gaps.extend(reading.events.gaps);
        self.transits.extend(reading.events.transits);
    }

    /// Counts what another one has counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.failed += other.failed;
        self.totals.append(other.totals);
        self.first_bytes.append(other.first_bytes);
        self.gaps.append(other.gaps);
        self.transits.append(other.transits);
    }

    /// All of it as one line of JSON.
    pub(crate) fn json(mut self, span: Duration) -> String {
        let (calls, events, seconds) = (self.totals.len(), self.transits.len(), span.as_secs_f64());
        let failed = self.failed;
        let rate = f64::from(u32::try_from(calls).unwrap_or(u32::MAX)) / seconds;
        let parts = [
            format!("\"calls\":{calls},\"failed\":{failed},\"events\":{events}"),
            format!("\"seconds\":{seconds:.3},\"calls_per_s\":{rate:.1}"),
            format!("\"latency_us\":{}", self.totals.json()),
            format!("\"first_byte_us\":{}", self.first_bytes.json()),
            format!("\"gap_us\":{}", self.gaps.json()),
            format!("\"transit_us\":{}", self.transits.json()),
        ];
        format!("{{{}}}", parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Reading, Tally};

    fn stream(pieces: &[&str]) -> (bool, Reading) {
        let mut reading = Reading::begin();
        pieces.iter().for_each(|piece| reading.data(piece.as_bytes(), true));
        (reading.end(true), reading)
    }

    #[test]
    fn an_event_counts_once_however_it_is_cut() {
        let (whole, reading) =
            stream(&["data: {\"sent_ns\":1", "2}\n", "\ndata: {\"sent_ns\":13}\n\ndata: [DO", "NE]\n\n"]);
        assert!(whole);
        assert_eq!((reading.events.transits.len(), reading.events.gaps.len()), (2, 1));
    }

    #[test]
    fn a_stream_without_its_end_is_not_whole() {
        assert!(!stream(&["data: {\"sent_ns\":12}\n\n"]).0);
        assert!(!stream(&[]).0);
    }

    #[test]
    fn what_was_never_measured_is_null() {
        let json = Tally::default().json(Duration::from_secs(1));
        assert!(json.contains("\"calls\":0,") && json.contains("\"gap_us\":null"), "{json}");
    }
}
