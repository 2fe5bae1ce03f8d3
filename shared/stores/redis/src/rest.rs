//! The way to Upstash: each command is a request, whose body is the command's words as JSON.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, Uri};
use serde_json::Value;
use twinlane_store::Unavailable;

use crate::BadAddress;
use crate::reply::Reply;
use crate::wire::Failure;

/// The client that the door has anyway: a request goes in, the whole reply comes out.
pub type Http =
    Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Unavailable>> + Send + Sync>;

/// A REST service that stands for a Redis.
pub(crate) struct Rest {
    address: Uri,
    token: HeaderValue,
    http: Http,
}

impl Rest {
    pub(crate) fn new(url: &str, token: &str, http: Http) -> Result<Self, BadAddress> {
        let address: Uri = url.trim().parse().map_err(|_| BadAddress::Rest)?;
        if !matches!(address.scheme_str(), Some("http" | "https")) {
            return Err(BadAddress::Rest);
        }
        let mut token: HeaderValue =
            format!("Bearer {}", token.trim()).parse().map_err(|_| BadAddress::Token)?;
        token.set_sensitive(true);
        Ok(Self { address, token, http })
    }

    pub(crate) async fn send(&self, words: impl Iterator<Item = String>) -> Result<Reply, Failure> {
        let body: Value = words.collect();
        let mut request =
            Request::post(self.address.clone()).body(Bytes::from(body.to_string())).map_err(unusable)?;
        request.headers_mut().insert(AUTHORIZATION, self.token.clone());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let reply = (self.http)(request).await?;
        read(&reply)
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("host", &self.address.host()).finish_non_exhaustive()
    }
}

/// The service answers `{"result": …}`, or `{"error": "…"}` in the server's own words.
fn read(reply: &Response<Bytes>) -> Result<Reply, Failure> {
    let mut json: Value = serde_json::from_slice(reply.body()).map_err(|_| no_answer(reply))?;
    if let Some(error) = json.get("error").and_then(Value::as_str) {
        let unknown = error.contains("NOSCRIPT");
        return Err(if unknown { Failure::Unknown } else { unusable(error) });
    }
    let result = json.get_mut("result").map(Value::take).ok_or_else(|| no_answer(reply))?;
    Ok(Reply::of_json(result)?)
}

fn no_answer(reply: &Response<Bytes>) -> Failure {
    unusable(format_args!("status {} without an answer", reply.status().as_u16()))
}

fn unusable(why: impl fmt::Display) -> Failure {
    Failure::Lost(Unavailable(format!("Redis over REST: {why}")))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::read;
    use crate::reply::Reply;
    use crate::wire::Failure;

    fn said(status: u16, body: &'static str) -> Result<Reply, Failure> {
        read(&Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap())
    }

    #[test]
    fn a_result_is_read_as_a_server_would_have_given_it() {
        let list = Reply::List(vec![Reply::Number(1), Reply::Text("7".to_owned()), Reply::Nothing]);
        assert_eq!(said(200, r#"{"result":[1,"7",null]}"#).unwrap(), list);
    }

    #[test]
    fn a_script_the_server_has_not_seen_is_told_from_other_errors() {
        assert!(matches!(said(400, r#"{"error":"NOSCRIPT No matching script."}"#), Err(Failure::Unknown)));
        assert!(matches!(said(401, r#"{"error":"WRONGPASS invalid token"}"#), Err(Failure::Lost(_))));
    }

    #[test]
    fn what_is_no_answer_is_said_with_its_status() {
        let Err(Failure::Lost(lost)) = said(502, "<html>") else { panic!("an answer") };
        assert!(lost.to_string().contains("502"), "{lost}");
        assert!(matches!(said(200, "{}"), Err(Failure::Lost(_))));
    }
}
