//! The usage log: one record per call, of numbers and names; no prompt, no answer, no key.

use serde_json::{Map, Value};

use crate::{Facts, Millis};

/// A call, as the usage log keeps it. The fields that are asked for have a place of their own; all of them are in the
/// JSON that engines keep.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UsageRecord {
    /// The call's id. Unique.
    pub id: String,
    /// When it came in.
    pub time: Millis,
    /// The token it was made with, by its id.
    pub token: Option<String>,
    /// The session it belongs to.
    pub session: Option<String>,
    /// The service.
    pub service: Option<String>,
    /// The model that was asked for.
    pub model: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// Everything else, by name: provider, model_served, lane, outcome, attempts, tokens and cost, times, bytes.
    pub rest: Facts,
}

impl UsageRecord {
    /// The record as one JSON object, the fields above among the rest.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        let mut json = Map::new();
        json.insert("id".to_owned(), self.id.as_str().into());
        json.insert("time".to_owned(), self.time.into());
        json.insert("token".to_owned(), text(&self.token));
        json.insert("session".to_owned(), text(&self.session));
        json.insert("service".to_owned(), text(&self.service));
        json.insert("model".to_owned(), text(&self.model));
        json.insert("status".to_owned(), self.status.into());
        json.extend(self.rest.iter().map(|(name, value)| (name.to_owned(), value.clone())));
        Value::Object(json)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    #[must_use]
    pub fn from_json(json: Value) -> Option<Self> {
        let Value::Object(mut rest) = json else { return None };
        let mut take = |name: &str| rest.remove(name);
        let mut text = |name: &str| take(name).and_then(|value| value.as_str().map(str::to_owned));
        let (id, token, session) = (text("id")?, text("token"), text("session"));
        let (service, model) = (text("service"), text("model"));
        let time = take("time")?.as_u64()?;
        let status = u16::try_from(take("status")?.as_u64()?).ok()?;
        Some(Self { id, time, token, session, service, model, status, rest: rest.into() })
    }
}

/// Which records are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before.
    pub from: Option<Millis>,
    /// Before.
    pub to: Option<Millis>,
    /// Of this token.
    pub token: Option<String>,
    /// Of this session.
    pub session: Option<String>,
    /// Of this service.
    pub service: Option<String>,
    /// Of this model.
    pub model: Option<String>,
    /// Of this status.
    pub status: Option<u16>,
}

impl Filter {
    /// Whether a record is let through.
    #[must_use]
    pub fn admits(&self, record: &UsageRecord) -> bool {
        let same = |wanted: &Option<String>, is: &Option<String>| wanted.is_none() || wanted == is;
        self.from.is_none_or(|from| record.time >= from)
            && self.to.is_none_or(|to| record.time < to)
            && same(&self.token, &record.token)
            && same(&self.session, &record.session)
            && same(&self.service, &record.service)
            && same(&self.model, &record.model)
            && self.status.is_none_or(|status| status == record.status)
    }
}

/// Where a page ended: the time and id of its last record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The last record's time.
    pub time: Millis,
    /// The last record's id.
    pub id: String,
}

/// Some records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// Newest first; those of one millisecond by id, descending.
    pub records: Vec<UsageRecord>,
    /// Where the next page begins; none: this was the last.
    pub next: Option<Cursor>,
}
