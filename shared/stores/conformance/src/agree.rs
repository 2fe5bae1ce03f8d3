//! Random sequences of operations, of which every engine must give the same account as the memory engine.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use twinlane_store::{
    Budget, Filter, Meter, Millis, Reservation, Reserved, Unavailable, UsageRecord, Verdict,
};
use twinlane_store_memory::Memory;

use crate::log::{all, plain};
use crate::{HOUR, Shared, beginning};

/// One step of a sequence. Keys are few, so that the steps meet.
#[derive(Debug, Clone)]
enum Step {
    Wait(Millis),
    Spend(Vec<(u8, u64, u64)>),
    Correct(u8, i64),
    Enter { key: u8, lease: u8, most: u64, span: Millis },
    Leave { key: u8, lease: u8 },
    Reserve { budget: u8, id: u8, amount: u64, span: Millis },
    Settle { budget: u8, id: u8, spent: u64 },
    Put { key: u8, value: Vec<u8>, span: Option<Millis> },
    PutNew { key: u8, value: Vec<u8>, span: Option<Millis> },
    Get(u8),
    Keys(bool),
    Delete(u8),
    Append { id: u8, ago: u8, token: Option<u8>, status: u16 },
    Records { token: Option<u8>, ago: Option<u8>, most: usize },
    Record(u8),
    Sweep,
}

/// What an engine answers.
#[derive(Debug, PartialEq)]
enum Said {
    Nothing,
    Whether(bool),
    Verdict(Verdict),
    Reserved(Reserved, (u64, u64)),
    Balance(u64, u64),
    Value(Option<Vec<u8>>),
    Keys(Vec<String>),
    Records(Vec<UsageRecord>),
}

/// Panics unless the engine gives the same answers as the memory engine to any sequence of operations, of which it
/// shows the shortest it finds. It makes a runtime of its own, so it is called outside one.
pub fn agrees(fresh: impl AsyncFn() -> Shared) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let steps = proptest::collection::vec(step(), 1..60);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        runtime.block_on(async { compare(fresh().await, Arc::new(Memory::default()), &steps).await })
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

async fn compare(engine: Shared, reference: Shared, steps: &[Step]) -> Result<(), TestCaseError> {
    let begun = beginning();
    let mut now = begun;
    let mut reserved = HashMap::new();
    for step in steps {
        if let Step::Wait(span) = step {
            now += span;
        }
        if is_undefined(step, now, &mut reserved) {
            continue;
        }
        let at = Time { begun, now };
        let (said, wanted) = (ask(&engine, step, at).await, ask(&reference, step, at).await);
        if said != wanted {
            return Err(TestCaseError::fail(format!("{step:?}: {said:?} instead of {wanted:?}")));
        }
    }
    Ok(())
}

/// Whether a step reserves again under an id that an engine may have forgotten.
fn is_undefined(step: &Step, now: Millis, reserved: &mut HashMap<(u8, u8), Millis>) -> bool {
    let Step::Reserve { budget, id, span, .. } = step else { return false };
    *reserved.entry((*budget, *id)).or_insert(now + span) <= now
}

#[derive(Debug, Clone, Copy)]
struct Time {
    begun: Millis,
    now: Millis,
}

async fn ask(store: &Shared, step: &Step, at: Time) -> Result<Said, Unavailable> {
    let now = at.now;
    let until = |span: &Option<Millis>| span.map(|span| now + span);
    Ok(match step {
        Step::Wait(_) => Said::Nothing,
        Step::Spend(costs) => Said::Verdict(store.spend(&meters(costs), now).await?),
        Step::Correct(key, delta) => done(store.correct(&meter(*key, 10, 0), *delta, now).await?),
        Step::Enter { key, lease, most, span } => {
            Said::Whether(store.enter(&name(*key), &name(*lease), *most, now, now + span).await?)
        }
        Step::Leave { key, lease } => done(store.leave(&name(*key), &name(*lease)).await?),
        Step::Reserve { .. } | Step::Settle { .. } => ask_budget(store, step, at).await?,
        Step::Put { key, value, span } => done(store.put(&name(*key), value, until(span)).await?),
        Step::PutNew { key, value, span } => {
            Said::Whether(store.put_new(&name(*key), value, now, until(span)).await?)
        }
        Step::Get(key) => Said::Value(store.get(&name(*key), now).await?),
        Step::Keys(all) => Said::Keys(store.keys(if *all { "" } else { "k1" }, now).await?),
        Step::Delete(key) => done(store.delete(&name(*key)).await?),
        Step::Append { .. } | Step::Records { .. } | Step::Record(_) => ask_log(store, step, at).await?,
        Step::Sweep => done(store.sweep(now).await?),
    })
}

async fn ask_budget(store: &Shared, step: &Step, Time { begun, now }: Time) -> Result<Said, Unavailable> {
    let of = |key: &u8| Budget { key: name(*key), limit: 100, until: begun + 1000 * HOUR };
    Ok(match step {
        Step::Reserve { budget, id, amount, span } => {
            let reservation = Reservation { id: name(*id), amount: *amount, until: now + span };
            let reserved = store.reserve(&of(budget), &reservation, now).await?;
            Said::Reserved(reserved, store.balance(&of(budget), now).await?)
        }
        Step::Settle { budget, id, spent } => {
            store.settle(&of(budget), &name(*id), *spent, now).await?;
            let (spent, aside) = store.balance(&of(budget), now).await?;
            Said::Balance(spent, aside)
        }
        _ => Said::Nothing,
    })
}

async fn ask_log(store: &Shared, step: &Step, Time { begun, now }: Time) -> Result<Said, Unavailable> {
    let token = |token: &Option<u8>| token.map(name);
    Ok(match step {
        Step::Append { id, ago, token: by, status } => {
            let record = plain(&name(*id), begun + Millis::from(*ago));
            let record = UsageRecord { token: token(by), status: *status, ..record };
            done(store.append(&record, Some(now + 900 * HOUR)).await?)
        }
        Step::Records { token: by, ago, most } => {
            let from = ago.map(|ago| begun + Millis::from(ago));
            Said::Records(all(store, &Filter { token: token(by), from, ..Filter::default() }, *most).await)
        }
        Step::Record(id) => Said::Records(store.record(&name(*id)).await?.into_iter().collect()),
        _ => Said::Nothing,
    })
}

fn done((): ()) -> Said {
    Said::Nothing
}

fn name(index: u8) -> String {
    format!("k{index}")
}

fn meter(key: u8, limit: u64, cost: u64) -> Meter {
    Meter { key: name(key), limit, period: Duration::from_millis(HOUR), cost }
}

/// The meters of a step; of those with the same key, one.
fn meters(costs: &[(u8, u64, u64)]) -> Vec<Meter> {
    let mut meters: Vec<Meter> = costs.iter().map(|(key, limit, cost)| meter(*key, *limit, *cost)).collect();
    meters.sort_by(|a, b| a.key.cmp(&b.key));
    meters.dedup_by(|a, b| a.key == b.key);
    meters
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![(0..HOUR / 2).prop_map(Step::Wait), limits(), budgets(), values(), log(), Just(Step::Sweep),]
}

/// How long something is kept: minutes, so that no server's own clock comes into it.
fn span() -> impl Strategy<Value = Millis> {
    HOUR / 10..HOUR
}

fn limits() -> impl Strategy<Value = Step> {
    let costs = proptest::collection::vec((0..4_u8, 1..12_u64, 0..5_u64), 0..4);
    let place = (0..2_u8, 0..4_u8, 0..4_u64, span());
    prop_oneof![
        3 => costs.prop_map(Step::Spend),
        1 => (0..4_u8, -12..12_i64).prop_map(|(key, delta)| Step::Correct(key, delta)),
        3 => place.prop_map(|(key, lease, most, span)| Step::Enter { key, lease, most, span }),
        1 => (0..2_u8, 0..4_u8).prop_map(|(key, lease)| Step::Leave { key, lease }),
    ]
}

fn budgets() -> impl Strategy<Value = Step> {
    let reserve = (0..2_u8, 0..6_u8, 0..70_u64, span());
    prop_oneof![
        reserve.prop_map(|(budget, id, amount, span)| Step::Reserve { budget, id, amount, span }),
        (0..2_u8, 0..6_u8, 0..50_u64).prop_map(|(budget, id, spent)| Step::Settle { budget, id, spent }),
    ]
}

fn values() -> impl Strategy<Value = Step> {
    let value = || proptest::collection::vec(any::<u8>(), 0..4);
    let put = || (0..12_u8, value(), proptest::option::of(span()));
    prop_oneof![
        put().prop_map(|(key, value, span)| Step::Put { key, value, span }),
        put().prop_map(|(key, value, span)| Step::PutNew { key, value, span }),
        (0..12_u8).prop_map(Step::Get),
        any::<bool>().prop_map(Step::Keys),
        (0..12_u8).prop_map(Step::Delete),
    ]
}

fn log() -> impl Strategy<Value = Step> {
    let token = || proptest::option::of(0..3_u8);
    let append = (0..20_u8, 0..4_u8, token(), prop_oneof![Just(200_u16), Just(502)]);
    let records = (token(), proptest::option::of(0..4_u8), 1..5_usize);
    prop_oneof![
        3 => append.prop_map(|(id, ago, token, status)| Step::Append { id, ago, token, status }),
        1 => records.prop_map(|(token, ago, most)| Step::Records { token, ago, most }),
        1 => (0..20_u8).prop_map(Step::Record),
    ]
}
