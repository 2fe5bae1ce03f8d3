//! What is verified and what is kept of a call: its token, its limits, its record, its line in the log.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use divan::{Bencher, black_box};
use futures_util::FutureExt;
use http::Method;
use twinlane_gateway::keeping::now;
use twinlane_gateway::log::{self, Logger};
use twinlane_gateway::record::{Recorder, Recording};
use twinlane_store::{Meter, Store, UsageRecord};
use twinlane_store_memory::Memory;

use crate::world;

#[divan::bench]
fn verifying_a_signed_token(bencher: Bencher<'_, '_>) {
    let (ring, token) = world::signed();
    bencher.bench_local(|| ring.verify(black_box(token.as_bytes()), now() / 1000).is_ok());
}

/// Requests and tokens per minute, as the books ask the store: the books themselves are the gateway's own business, and
/// are in `bench/cost`.
#[divan::bench]
fn limits_in_memory(bencher: Bencher<'_, '_>) {
    let store = Memory::default();
    let meter = |key: &str, cost| Meter {
        key: key.to_owned(),
        limit: u64::MAX / (1 << 40),
        period: Duration::from_secs(60),
        cost,
    };
    let meters = [meter("rpm:all", 1), meter("rpm:token:auth-1", 1), meter("tpm:token:auth-1", 700)];
    bencher.bench_local(|| store.spend(black_box(&meters), now()).now_or_never());
}

#[divan::bench]
fn a_place_among_the_streams(bencher: Bencher<'_, '_>) {
    let store = Memory::default();
    bencher.bench_local(|| {
        let at = now();
        let entered = store.enter("streams:all", black_box("lease"), 1000, at, at + 60_000).now_or_never();
        (entered, store.leave("streams:all", "lease").now_or_never())
    });
}

#[divan::bench]
fn a_record_in_the_usage_log(bencher: Bencher<'_, '_>) {
    let (store, number) = (Memory::default(), AtomicU64::new(0));
    let record = || record(number.fetch_add(1, Ordering::Relaxed));
    bencher.with_inputs(record).bench_local_refs(|record| store.append(record, None).now_or_never());
}

/// The line that a call ends with, as JSON into `/dev/null`.
#[divan::bench]
fn a_line_of_the_log(bencher: Bencher<'_, '_>) {
    log::start(world::config().log);
    let logger: Arc<dyn Recorder> = Arc::new(Logger);
    let id = "01a1fbd5-8328-7340-9dcd-7f4ed6c2cfec".to_owned();
    let recording = Recording::begin(id, Method::POST, None, Instant::now(), &logger);
    let mut record = recording.record.clone();
    record.service = Some("bench".to_owned());
    record.model = Some("gpt-5-mini".to_owned());
    let spoken = silenced(|| {
        bencher.bench_local(|| Logger.ended(black_box(&record)));
        drop(recording);
    });
    assert!(spoken.is_ok(), "standard output cannot be turned away: {spoken:?}");
}

/// Does something whose lines on standard output would stand in divan's table.
fn silenced(noisy: impl FnOnce()) -> io::Result<()> {
    io::stdout().flush()?;
    let shown = rustix::io::dup(io::stdout())?;
    rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
    noisy();
    io::stdout().flush()?;
    Ok(rustix::stdio::dup2_stdout(shown)?)
}

/// A record of the usual length.
fn record(number: u64) -> UsageRecord {
    let rest = serde_json::json!({
        "provider": "bench", "model_served": "gpt-5-mini", "method": "POST", "lane": "edge", "outcome": "complete",
        "attempts": 1, "fallbacks": [], "tokens_in": 187, "tokens_out": 142, "tokens_cached": null, "estimated": false,
        "cost": 0.000_33, "first_byte_ms": 312, "total_ms": 1805, "bytes_in": 930, "bytes_out": 1107, "stream": false,
    });
    UsageRecord {
        id: format!("01a1fbd5-8328-7340-9dcd-{number:012}"),
        time: 1_795_000_000_000 + number,
        token: Some("0192f0c1a2b37c4d".to_owned()),
        session: None,
        service: Some("bench".to_owned()),
        model: Some("gpt-5-mini".to_owned()),
        status: 200,
        rest: rest.as_object().cloned().unwrap_or_default().into(),
    }
}
