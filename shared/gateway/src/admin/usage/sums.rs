//! The numbers of many calls, summed.

use serde_json::{Map, Value, json};
use twinlane_store::UsageRecord;

/// One dollar. Costs have nine decimals at most, so whole numbers of this add up exactly, and doubles would not.
const DOLLAR: f64 = 1e9;

/// The most that one call can cost. What is more, or less than nothing, is no price.
const DEAREST: f64 = 1e6;

/// The counts that are summed by their names.
const COUNTED: [&str; 6] =
    ["tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning", "bytes_in", "bytes_out"];

/// The times whose spread is told.
const TIMED: [&str; 2] = ["first_byte_ms", "total_ms"];

const PERCENTILES: [(&str, usize); 3] = [("p50", 50), ("p90", 90), ("p99", 99)];

/// The columns of a table of sums, in order: the fields of [`Sums::json`] by their JSON pointers.
pub(super) const COLUMNS: [&str; 17] = [
    "/calls",
    "/errors",
    "/tokens_in",
    "/tokens_out",
    "/tokens_cached",
    "/tokens_reasoning",
    "/estimated",
    "/cost",
    "/cost_unknown",
    "/first_byte_ms/p50",
    "/first_byte_ms/p90",
    "/first_byte_ms/p99",
    "/total_ms/p50",
    "/total_ms/p90",
    "/total_ms/p99",
    "/bytes_in",
    "/bytes_out",
];

/// What calls come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) calls: u64,
    errors: u64,
    estimated: u64,
    cost: u64,
    cost_unknown: u64,
    counted: [u64; COUNTED.len()],
    timed: [Spread; TIMED.len()],
}

impl Sums {
    /// Adds a call.
    pub(super) fn add(&mut self, record: &UsageRecord) {
        let number = |name: &str| record.rest.get(name).and_then(Value::as_u64);
        self.calls += 1;
        self.errors += u64::from(is_error(record));
        self.estimated += u64::from(record.rest.get("estimated") == Some(&Value::Bool(true)));
        match record.rest.get("cost").and_then(nanos) {
            Some(cost) => self.cost = self.cost.saturating_add(cost),
            // What used nothing, as a call that was refused, has no price that anybody could miss.
            None => self.cost_unknown += u64::from(number("tokens_in").is_some()),
        }
        for (sum, name) in self.counted.iter_mut().zip(COUNTED) {
            *sum = sum.saturating_add(number(name).unwrap_or_default());
        }
        for (spread, name) in self.timed.iter_mut().zip(TIMED) {
            spread.0.extend(number(name).map(|ms| u32::try_from(ms).unwrap_or(u32::MAX)));
        }
    }

    /// The sums by their names.
    pub(super) fn json(self) -> Map<String, Value> {
        let mut json = Map::from_iter([
            ("calls".to_owned(), self.calls.into()),
            ("errors".to_owned(), self.errors.into()),
            ("estimated".to_owned(), self.estimated.into()),
            ("cost".to_owned(), json!(dollars(self.cost))),
            ("cost_unknown".to_owned(), self.cost_unknown.into()),
        ]);
        json.extend(COUNTED.into_iter().zip(self.counted).map(|(name, sum)| (name.to_owned(), sum.into())));
        json.extend(TIMED.into_iter().zip(self.timed).map(|(name, spread)| (name.to_owned(), spread.json())));
        json
    }
}

/// A call fails by its status, or later: by an answer that did not come to its end, or whose end was an error.
fn is_error(record: &UsageRecord) -> bool {
    let outcome = record.rest.get("outcome").and_then(Value::as_str);
    let error = record.rest.get("error").is_some_and(Value::is_string);
    record.status >= 400 || error || outcome.is_some_and(|outcome| outcome != "complete")
}

/// A cost in billionths of a dollar; none where it is no price.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn nanos(cost: &Value) -> Option<u64> {
    let dollars = cost.as_f64().filter(|dollars| (0.0..=DEAREST).contains(dollars))?;
    Some((dollars * DOLLAR).round() as u64)
}

/// Billionths of a dollar as the nearest number of dollars, which is exact below nine million.
#[allow(clippy::cast_precision_loss, reason = "the nearest number is what is wanted")]
fn dollars(nanos: u64) -> f64 {
    nanos as f64 / DOLLAR
}

/// Times in milliseconds, every one of them: a question reads so few records that nothing has to be estimated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Spread(Vec<u32>);

impl Spread {
    fn json(mut self) -> Value {
        self.0.sort_unstable();
        let rows = PERCENTILES.map(|(name, percent)| (name.to_owned(), json!(self.percentile(percent))));
        Value::Object(rows.into_iter().collect())
    }

    /// The least time that so many per cent of all do not exceed; the times are in order.
    fn percentile(&self, percent: usize) -> Option<u32> {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use twinlane_store::UsageRecord;

    use super::{COLUMNS, Spread, Sums};

    fn sums(rest: &[Value]) -> Value {
        let mut sums = Sums::default();
        for rest in rest {
            let Value::Object(rest) = rest.clone() else { panic!("an object") };
            let status = rest.get("status").map_or(200, |status| status.as_u64().unwrap());
            let status = u16::try_from(status).unwrap();
            sums.add(&UsageRecord { status, rest: rest.into(), ..UsageRecord::default() });
        }
        Value::Object(sums.json())
    }

    #[test]
    fn costs_add_up_to_the_last_billionth() {
        let sums = sums(&vec![json!({ "cost": 0.000_000_1 }); 3_000]);
        assert_eq!(sums["cost"].to_string(), "0.0003");
        let sums = self::sums(&[json!({ "cost": 0.1 }), json!({ "cost": 0.2 }), json!({ "cost": 5 })]);
        assert_eq!(sums["cost"].to_string(), "5.3");
    }

    #[test]
    fn a_cost_that_nobody_knows_is_counted_and_not_taken_for_nothing() {
        let unknown = [json!({}), json!({ "cost": null }), json!({ "cost": -1.0 }), json!({ "cost": "5" })];
        let unknown = unknown.map(|mut call| {
            call["tokens_in"] = 1.into();
            call
        });
        let refused = [json!({ "cost": null, "tokens_in": null })];
        let sums = sums(&[&unknown[..], &refused, &[json!({ "cost": 0.5 }), json!({ "cost": 0 })]].concat());
        assert_eq!((&sums["cost"], &sums["cost_unknown"]), (&json!(0.5), &json!(4)));
    }

    #[test]
    fn a_call_fails_by_its_status_or_by_its_end() {
        for (record, errors) in [
            (json!({ "outcome": "complete" }), 0),
            (json!({ "status": 399 }), 0),
            (json!({ "status": 400, "outcome": "complete" }), 1),
            (json!({ "status": 503 }), 1),
            (json!({ "outcome": "truncated" }), 1),
            (json!({ "outcome": "client_left" }), 1),
        ] {
            assert_eq!(sums(std::slice::from_ref(&record))["errors"], errors, "{record}");
        }
    }

    #[test]
    fn tokens_and_bytes_are_summed_and_estimates_counted() {
        let call = json!({ "tokens_in": 10, "tokens_out": 5, "tokens_cached": null, "bytes_in": 7, "estimated": true });
        let sums = sums(&[
            call,
            json!({ "tokens_in": 1, "tokens_reasoning": 2, "bytes_out": 9, "estimated": false }),
        ]);
        for (name, expected) in [
            ("calls", 2),
            ("tokens_in", 11),
            ("tokens_out", 5),
            ("tokens_cached", 0),
            ("tokens_reasoning", 2),
            ("bytes_in", 7),
            ("bytes_out", 9),
            ("estimated", 1),
        ] {
            assert_eq!(sums[name], expected, "{name}");
        }
    }

    #[test]
    fn every_column_is_there_and_every_number_has_a_column() {
        let sums = sums(&[json!({ "first_byte_ms": 1, "total_ms": 2 })]);
        assert!(COLUMNS.iter().all(|column| sums.pointer(column).is_some()), "{sums}");
        let nested = |value: &Value| value.as_object().map_or(1, serde_json::Map::len);
        assert_eq!(sums.as_object().unwrap().values().map(nested).sum::<usize>(), COLUMNS.len());
    }

    #[test]
    fn a_percentile_is_the_time_of_a_call_that_was_made() {
        for (times, expected) in [
            ((1..=100).collect(), json!({ "p50": 50, "p90": 90, "p99": 99 })),
            ((1..=10).rev().collect(), json!({ "p50": 5, "p90": 9, "p99": 10 })),
            (vec![7], json!({ "p50": 7, "p90": 7, "p99": 7 })),
            (vec![], json!({ "p50": null, "p90": null, "p99": null })),
        ] {
            assert_eq!(Spread(times).json(), expected);
        }
    }
}
