//! By what calls are grouped.

use serde_json::Value;
use twinlane_store::UsageRecord;

use super::when;

/// What calls of one group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Day,
    Model,
    Service,
    Provider,
    Token,
    Session,
    Status,
    Outcome,
}

/// What one call has in common with the others of its group; none where it has no such thing.
pub(super) type Key = Option<String>;

const NAMES: [(&str, Group); 8] = [
    ("day", Group::Day),
    ("model", Group::Model),
    ("service", Group::Service),
    ("provider", Group::Provider),
    ("token", Group::Token),
    ("session", Group::Session),
    ("status", Group::Status),
    ("outcome", Group::Outcome),
];

/// What `group` can be.
pub(super) const SHAPE: &str =
    "none, or a list of day, model, service, provider, token, session, status, outcome, each once";

impl Group {
    /// Reads `day,model`; `none` is the empty list.
    pub(super) fn list(text: &str) -> Option<Vec<Self>> {
        if text == "none" {
            return Some(Vec::new());
        }
        let mut groups = Vec::new();
        for name in text.split(',') {
            let (_, group) = NAMES.iter().find(|(known, _)| *known == name.trim())?;
            if groups.contains(group) {
                return None;
            }
            groups.push(*group);
        }
        Some(groups)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, group)| *group == self).map_or("", |(name, _)| name)
    }

    pub(super) fn key(self, record: &UsageRecord) -> Key {
        let named = |name| record.rest.get(name).and_then(Value::as_str).map(str::to_owned);
        match self {
            Self::Day => Some(when::day(record.time)),
            Self::Model => record.model.clone(),
            Self::Service => record.service.clone(),
            Self::Provider => named("provider"),
            Self::Token => record.token.clone(),
            Self::Session => record.session.clone(),
            Self::Status => Some(record.status.to_string()),
            Self::Outcome => named("outcome"),
        }
    }

    /// A key as JSON: a status is a number there as everywhere.
    pub(super) fn json(self, key: Option<&str>) -> Value {
        let status = |key: &str| key.parse::<u16>().ok().filter(|_| self == Self::Status);
        key.map_or(Value::Null, |key| status(key).map_or_else(|| key.into(), Value::from))
    }
}
