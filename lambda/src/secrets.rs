//! Settings that are kept in AWS Secrets Manager or in the SSM parameter store instead of in the environment.
//!
//! Read once, at the start, and only where `SECRETS_ARN` names them.

use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value, json};
use twinlane_gateway::body::BoxError;
use twinlane_gateway::upstream::{Upstream, Wait};

use crate::aws::{Ask, Aws, content_type};

const TRIES: u32 = 3;

/// A secret has at most 64 KiB.
const LARGEST_ANSWER: usize = 256 * 1024;

/// Where settings are kept.
struct Place {
    service: &'static str,
    target: &'static str,
    question: Value,
    /// Where in the answer the settings are.
    pointer: &'static str,
}

/// The variables, and after them the settings that `SECRETS_ARN` leads to. What the environment sets goes before them.
///
/// # Errors
/// In an operator's words, and without a value.
pub(crate) async fn added(
    mut vars: Vec<(String, String)>,
    aws: Option<&Aws>,
) -> Result<Vec<(String, String)>, String> {
    let arn = vars.iter().find(|(name, value)| name == "SECRETS_ARN" && !value.trim().is_empty());
    let Some(arn) = arn.map(|(_, arn)| arn.trim().to_owned()) else { return Ok(vars) };
    let aws = aws.ok_or("SECRETS_ARN: there are no credentials of AWS to read it with")?;
    let kept = read(&arn, aws).await.map_err(|why| format!("SECRETS_ARN: {why}"))?;
    for (name, value) in kept {
        if !vars.iter().any(|(known, set)| *known == name && !set.trim().is_empty()) {
            vars.retain(|(known, _)| *known != name);
            vars.push((name, text(value)));
        }
    }
    Ok(vars)
}

/// A setting that is JSON itself, such as `PROXY_CONFIG`, may be written as JSON.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

async fn read(arn: &str, aws: &Aws) -> Result<Map<String, Value>, &'static str> {
    let place = place(arn).ok_or("is not the ARN of a Secrets Manager secret or an SSM parameter")?;
    let aws = aws.clone().in_region(arn.split(':').nth(3).unwrap_or_default());
    let upstream = Upstream::new(Duration::from_secs(3), Duration::from_secs(3));
    let answer = patiently(&place, &aws, &upstream).await?;
    let settings = answer.pointer(place.pointer).and_then(Value::as_str).ok_or("holds no text")?;
    serde_json::from_str(settings).map_err(|_| "does not hold a JSON object of settings")
}

/// Which service an ARN belongs to, and how that is asked.
fn place(arn: &str) -> Option<Place> {
    match arn.split(':').nth(2)? {
        "secretsmanager" => Some(Place {
            service: "secretsmanager",
            target: "secretsmanager.GetSecretValue",
            question: json!({ "SecretId": arn }),
            pointer: "/SecretString",
        }),
        "ssm" => Some(Place {
            service: "ssm",
            target: "AmazonSSM.GetParameter",
            question: json!({ "Name": arn, "WithDecryption": true }),
            pointer: "/Parameter/Value",
        }),
        _ => None,
    }
}

/// Asks again where AWS was busy: a function that has not got its settings answers nobody until it is replaced.
async fn patiently(place: &Place, aws: &Aws, upstream: &Upstream) -> Result<Value, &'static str> {
    let mut tried = 0;
    loop {
        tried += 1;
        let (again, told) = match ask(place, aws, upstream).await {
            Ok((StatusCode::OK, answer)) => return Ok(answer),
            Ok((status, answer)) => denied(status, &answer),
            Err(_) => (true, "could not be read: AWS did not answer"),
        };
        if !again || tried == TRIES {
            return Err(told);
        }
        tokio::time::sleep(Duration::from_millis(200) * tried).await;
    }
}

/// Whether it makes sense to ask again, and why AWS says no, in the words of whoever has to change it.
fn denied(status: StatusCode, answer: &Value) -> (bool, &'static str) {
    let kind = answer["__type"].as_str().unwrap_or_default();
    match kind.rsplit('#').next().unwrap_or_default() {
        "AccessDeniedException" => (false, "may not be read by this function's role"),
        "ResourceNotFoundException" | "ParameterNotFound" => (false, "does not exist"),
        "ThrottlingException" => (true, "could not be read: AWS was too busy"),
        _ if status.is_server_error() => (true, "could not be read: AWS failed"),
        _ => (false, "could not be read: AWS refused"),
    }
}

async fn ask(place: &Place, aws: &Aws, upstream: &Upstream) -> Result<(StatusCode, Value), BoxError> {
    let target = (HeaderName::from_static("x-amz-target"), HeaderValue::from_static(place.target));
    let headers = vec![content_type("application/x-amz-json-1.1"), target];
    let body = place.question.to_string().into();
    let request =
        aws.request(Ask { service: place.service, path: "/".to_owned(), headers, body }, SystemTime::now())?;
    let wait = Wait { first_byte: Duration::from_secs(3), deadline: None };
    let reply = upstream.send(request, wait).await.map_err(|_| "no answer")?;
    let (status, body) = (reply.status(), Limited::new(reply.into_body(), LARGEST_ANSWER));
    Ok((status, serde_json::from_slice(&body.collect().await?.to_bytes())?))
}
