//! The entry of a call in the usage log: numbers and names. No prompt, no answer, no key, unless bodies are asked for.

use std::time::SystemTime;

use serde_json::{Number, Value};
use twinlane_store::{Facts, UsageRecord, millis};

use super::bill::Cost;
use super::{Bodies, Need, Payer};
use crate::record::Record;

/// Room for all the names below, so that none makes the others move.
const FIELDS: usize = 28;

/// What is known of a call beside its record.
pub(super) struct Known<'a> {
    pub(super) id: &'a str,
    pub(super) payer: &'a Payer,
    pub(super) need: &'a Need,
    pub(super) cost: Cost,
    pub(super) estimated: bool,
}

/// Who answered a call, and with which model.
pub(super) struct Served<'a> {
    pub(super) service: &'a str,
    pub(super) model: Option<&'a str>,
}

/// Who answered: the target of a call of the unified API, else the service; and the model that the reply names, else the
/// one that was asked for.
pub(super) fn served<'a>(record: &'a Record, need: &'a Need) -> Served<'a> {
    let target = record.served.as_deref().and_then(|served| served.split_once('/'));
    let asked = target.map(|(_, model)| model).or(need.model.as_deref());
    let service = target.map(|(service, _)| service).or(record.service.as_deref()).unwrap_or(&need.service);
    Served { service, model: record.model_served.as_deref().or(asked) }
}

/// The entry of a call that has ended.
pub(super) fn of(record: &Record, call: &Known<'_>, bodies: Option<Box<Bodies>>) -> UsageRecord {
    let now = SystemTime::now();
    let began = now.checked_sub(record.total).unwrap_or(now);
    let time = began.duration_since(SystemTime::UNIX_EPOCH).map_or(0, millis);
    UsageRecord {
        id: call.id.to_owned(),
        time,
        token: call.payer.token.clone(),
        session: call.payer.session.clone(),
        service: record
            .service
            .clone()
            .or_else(|| Some(call.need.service.clone()))
            .filter(|service| !service.is_empty()),
        model: call.need.model.clone(),
        status: record.status.as_u16(),
        rest: rest(record, call, bodies),
    }
}

fn rest(record: &Record, call: &Known<'_>, bodies: Option<Box<Bodies>>) -> Facts {
    let served = served(record, call.need);
    let answered = record.attempts > 0;
    let tokens = call.cost.tokens;
    let counted = |count: u64| (record.usage.is_some() || call.estimated).then_some(count);
    let used = |count: fn(&twinlane_dialects::chat::Usage) -> u64| record.usage.as_ref().map(count);
    let cost = call.cost.dollars.filter(|_| record.usage.is_some() || call.estimated);
    let mut rest = Facts::with_capacity(FIELDS);
    let mut put = |name: &'static str, value: Value| rest.put(name, value);
    put("provider", Some(served.service).filter(|service| !service.is_empty()).into());
    put("model_served", served.model.filter(|_| answered).into());
    put("token_name", call.payer.name.as_deref().into());
    put("method", record.method.as_str().into());
    put("lane", record.choice.map(|choice| choice.lane.as_str()).into());
    put("stream", call.need.stream.into());
    put("outcome", record.outcome.as_str().into());
    put("error", record.error.into());
    put("attempts", record.attempts.into());
    put("fallbacks", record.fallbacks.clone().into());
    put("tokens_in", counted(tokens.prompt()).into());
    put("tokens_out", counted(tokens.completion()).into());
    put("tokens_cached", used(|usage| usage.cached).into());
    put("tokens_reasoning", used(|usage| usage.reasoning).into());
    put("estimated", call.estimated.into());
    put(
        "cost",
        cost.and_then(|cost| cost.to_string().parse::<Number>().ok()).map_or(Value::Null, Value::Number),
    );
    put("first_byte_ms", record.first_byte.map(millis).into());
    put("total_ms", millis(record.total).into());
    put("bytes_in", record.bytes_in.into());
    put("bytes_out", record.bytes_out.into());
    if record.id != call.id {
        put("request_id", record.id.as_str().into());
    }
    if let Some(bodies) = bodies {
        let (request, response) = bodies.json();
        put("request", request);
        put("response", response);
    }
    rest
}
