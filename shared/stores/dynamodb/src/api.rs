//! DynamoDB's actions: sent, answered, sent again where that is called for, all under one clock.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use serde_json::{Value, json};
use twinlane_store::Unavailable;

use crate::Settings;
use crate::item::{Item, key, nonsense};
use crate::sign::Signer;
use crate::update::{Update, Updated};

/// The client that the door has anyway: a request goes in, the whole reply comes out.
pub type Http =
    Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Unavailable>> + Send + Sync>;

/// How often an action is sent at most.
const ATTEMPTS: u32 = 8;

/// The longest pause before the second attempt; each further one may be twice as long.
const PAUSE: Duration = Duration::from_millis(10);

/// Why an action has not happened, or is not known to have.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Its condition does not hold. The item as it is.
    Condition(Item),
    /// A condition in a transaction does not hold.
    Cancelled,
    /// Too much at once, or somebody else is at it: nothing has happened, and it may be asked for again.
    Busy(Unavailable),
    /// There is no answer: it may have happened.
    Lost(Unavailable),
    /// Anything else; nothing has happened.
    Refused(Unavailable),
}

/// Whether an action may be sent again when its answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// Its second time would change nothing more.
    Harmless,
    /// Each time counts.
    Counts,
}

/// The table's API.
pub(crate) struct Api {
    table: String,
    patience: Duration,
    signer: Signer,
    http: Http,
}

impl Api {
    pub(crate) fn new(settings: Settings, signer: Signer, http: Http) -> Self {
        Self { table: settings.table, patience: settings.patience, signer, http }
    }

    pub(crate) async fn update(&self, update: &Update, again: Again) -> Result<Updated, Unavailable> {
        let mut request = update.request(&self.table);
        if update.tells() {
            request["ReturnValues"] = "ALL_NEW".into();
        }
        match self.ask("UpdateItem", request, again).await {
            Ok(mut answer) => Ok(Updated::Done(item_in(&mut answer, "Attributes"))),
            Err(Refusal::Condition(item)) => Ok(Updated::Not(item)),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Makes all updates or none; says whether. The token tells the first time from a second.
    pub(crate) async fn update_all(&self, updates: &[Update]) -> Result<bool, Unavailable> {
        let all: Vec<Value> =
            updates.iter().map(|update| json!({ "Update": update.request(&self.table) })).collect();
        let token = format!("{:016x}{:016x}", random(), random());
        let request = json!({ "TransactItems": all, "ClientRequestToken": token });
        match self.ask("TransactWriteItems", request, Again::Harmless).await {
            Ok(_) => Ok(true),
            Err(Refusal::Cancelled) => Ok(false),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Puts an item, where a condition holds; says whether it did.
    pub(crate) async fn put(
        &self,
        item: Value,
        condition: Option<(&str, Value)>,
        again: Again,
    ) -> Result<bool, Unavailable> {
        let mut request = json!({ "TableName": self.table, "Item": item });
        if let Some((condition, values)) = condition {
            request["ConditionExpression"] = condition.into();
            if values.is_object() {
                request["ExpressionAttributeValues"] = values;
            }
        }
        match self.ask("PutItem", request, again).await {
            Ok(_) => Ok(true),
            Err(Refusal::Condition(_)) => Ok(false),
            Err(refusal) => Err(refusal.into()),
        }
    }

    pub(crate) async fn delete(&self, pk: &str, sk: &str) -> Result<(), Unavailable> {
        let request = json!({ "TableName": self.table, "Key": key(pk, sk) });
        self.ask("DeleteItem", request, Again::Harmless).await?;
        Ok(())
    }

    /// An item, as it is after every write that was answered; without attributes where there is none.
    pub(crate) async fn get(&self, pk: &str, sk: &str) -> Result<Item, Unavailable> {
        let request = json!({ "TableName": self.table, "Key": key(pk, sk), "ConsistentRead": true });
        let mut answer = self.ask("GetItem", request, Again::Harmless).await?;
        Ok(item_in(&mut answer, "Item"))
    }

    /// Items by their keys, in no order. Those that are not there are left out.
    pub(crate) async fn get_all(&self, pks: &[String]) -> Result<Vec<Item>, Unavailable> {
        let keys: Vec<Value> = pks.iter().map(|pk| key(pk, "-")).collect();
        let mut wanted = json!({ &self.table: { "Keys": keys, "ConsistentRead": true } });
        let mut items = Vec::new();
        for attempt in 0..ATTEMPTS {
            let request = json!({ "RequestItems": wanted });
            let mut answer = self.ask("BatchGetItem", request, Again::Harmless).await?;
            items.extend(items_in(answer["Responses"][&self.table].take())?);
            wanted = answer["UnprocessedKeys"].take();
            if wanted.as_object().is_none_or(serde_json::Map::is_empty) {
                return Ok(items);
            }
            pause(attempt).await;
        }
        Err(Unavailable("DynamoDB gives too little at a time".to_owned()))
    }

    /// Items under a key, and where to go on.
    pub(crate) async fn query(&self, mut request: Value) -> Result<(Vec<Item>, Option<Value>), Unavailable> {
        request["TableName"] = self.table.as_str().into();
        request["ConsistentRead"] = true.into();
        let mut answer = self.ask("Query", request, Again::Harmless).await?;
        let items = items_in(answer["Items"].take())?;
        let next = Some(answer["LastEvaluatedKey"].take()).filter(Value::is_object);
        Ok((items, next))
    }

    async fn ask(&self, action: &str, request: Value, again: Again) -> Result<Value, Refusal> {
        let body = Bytes::from(request.to_string());
        match tokio::time::timeout(self.patience, self.insist(action, &body, again)).await {
            Ok(answer) => answer,
            Err(_) => {
                let why = format!("{action} was not answered in {} ms", self.patience.as_millis());
                Err(Refusal::Lost(Unavailable(why)))
            }
        }
    }

    async fn insist(&self, action: &str, body: &Bytes, again: Again) -> Result<Value, Refusal> {
        let mut attempt = 0;
        loop {
            let refusal = match self.send(action, body).await {
                Err(refusal) => refusal,
                answer => return answer,
            };
            let hopeful = match &refusal {
                Refusal::Busy(_) => attempt + 1 < ATTEMPTS,
                Refusal::Lost(_) => attempt == 0 && again == Again::Harmless,
                _ => false,
            };
            if !hopeful {
                return Err(refusal);
            }
            pause(attempt).await;
            attempt += 1;
        }
    }

    async fn send(&self, action: &str, body: &Bytes) -> Result<Value, Refusal> {
        let request = self.signer.request(action, body.clone(), SystemTime::now());
        let request = request.map_err(|why| Refusal::Refused(Unavailable(format!("{action}: {why}"))))?;
        let reply = (self.http)(request).await.map_err(Refusal::Lost)?;
        let json = serde_json::from_slice(reply.body());
        let status = reply.status();
        match json {
            Ok(json) if status.is_success() => Ok(json),
            Ok(json) => Err(refusal(action, status.as_u16(), json)),
            Err(_) => {
                Err(Refusal::Lost(Unavailable(format!("{action}: status {} without JSON", status.as_u16()))))
            }
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("table", &self.table)
            .field("address", &self.signer.address())
            .finish_non_exhaustive()
    }
}

impl From<Refusal> for Unavailable {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Busy(why) | Refusal::Lost(why) | Refusal::Refused(why) => why,
            Refusal::Condition(_) | Refusal::Cancelled => nonsense(),
        }
    }
}

/// What an error of DynamoDB means.
fn refusal(action: &str, status: u16, mut json: Value) -> Refusal {
    let kind = json["__type"].as_str().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default().to_owned();
    let said = json["message"].as_str().or(json["Message"].as_str()).unwrap_or_default();
    let why = Unavailable(format!("{action}: {kind} {said}"));
    match kind.as_str() {
        "ConditionalCheckFailedException" => Refusal::Condition(item_in(&mut json, "Item")),
        "TransactionCanceledException" => cancelled(&json, why),
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TransactionConflictException"
        | "TransactionInProgressException" => Refusal::Busy(why),
        _ if status >= 500 => Refusal::Lost(why),
        _ => Refusal::Refused(why),
    }
}

/// A transaction is cancelled because of a condition, or only because others were at the same items.
fn cancelled(json: &Value, why: Unavailable) -> Refusal {
    let codes: Vec<&str> = json["CancellationReasons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    let busy = ["TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"];
    if codes.contains(&"ConditionalCheckFailed") {
        Refusal::Cancelled
    } else if codes.iter().any(|code| busy.contains(code)) {
        Refusal::Busy(why)
    } else {
        Refusal::Refused(why)
    }
}

fn item_in(answer: &mut Value, name: &str) -> Item {
    match answer.get_mut(name).map(Value::take) {
        Some(Value::Object(item)) => item,
        _ => Item::new(),
    }
}

fn items_in(list: Value) -> Result<Vec<Item>, Unavailable> {
    let Value::Array(list) = list else { return Err(nonsense()) };
    list.into_iter()
        .map(|item| if let Value::Object(item) = item { Ok(item) } else { Err(nonsense()) })
        .collect()
}

/// Waits for a part of the longest pause, which part is by chance: those who came together come back apart.
pub(crate) async fn pause(attempt: u32) {
    let longest = PAUSE.saturating_mul(1 << attempt.min(6));
    let share = random() % 1000;
    tokio::time::sleep(longest.mul_f64(share as f64 / 1000.0)).await;
}

/// A number that nobody can foresee, which is how the standard library seeds its maps.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Refusal, refusal};

    fn of(status: u16, kind: &str, codes: &[&str]) -> Refusal {
        let reasons: Vec<Value> = codes.iter().map(|code| json!({ "Code": code })).collect();
        let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
        refusal("Test", status, json!({ "__type": kind, "message": "words", "CancellationReasons": reasons }))
    }

    #[test]
    fn a_crowd_is_told_from_a_condition() {
        let cancelled = |codes: &[&str]| of(400, "TransactionCanceledException", codes);
        assert!(matches!(cancelled(&["None", "ConditionalCheckFailed"]), Refusal::Cancelled));
        assert!(matches!(cancelled(&["TransactionConflict", "ConditionalCheckFailed"]), Refusal::Cancelled));
        assert!(matches!(cancelled(&["None", "TransactionConflict"]), Refusal::Busy(_)));
        assert!(matches!(cancelled(&["ValidationError"]), Refusal::Refused(_)));
        assert!(matches!(of(400, "TransactionConflictException", &[]), Refusal::Busy(_)));
        assert!(matches!(of(400, "ThrottlingException", &[]), Refusal::Busy(_)));
    }

    #[test]
    fn what_may_have_happened_is_told_from_what_has_not() {
        assert!(matches!(of(500, "InternalServerError", &[]), Refusal::Lost(_)));
        assert!(matches!(of(400, "AccessDeniedException", &[]), Refusal::Refused(_)));
        let Refusal::Refused(why) = of(400, "ResourceNotFoundException", &[]) else { panic!("refused") };
        assert_eq!(why.0, "Test: ResourceNotFoundException words");
    }
}
