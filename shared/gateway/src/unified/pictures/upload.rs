//! Uploads an image as an asset of 1min.ai.

use bytes::Bytes;
use http::{HeaderValue, Method};
use serde_json::Value;
use tokio::time::timeout;
use twinlane_dialects::Told;

use super::Unsaid;
use crate::Error;
use crate::auth::Caller;
use crate::body::{self, full};
use crate::call::{Call, Stream};
use crate::gateway::Gateway;
use crate::unified::fetch::Picture;
use crate::unified::leg;
use crate::unified::plan::Plan;
use crate::unified::targets::Target;
use crate::upstream::Fault;

/// Where assets go, below the API's host.
const PATH: &str = "/api/assets";

/// The answer to an upload says a few hundred bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

impl Gateway {
    /// Uploads an image with the key of the call it belongs to, and returns the path at which the provider keeps it.
    pub(super) async fn upload(
        &self,
        plan: &Plan,
        target: &Target,
        caller: &Caller,
        picture: &Picture,
    ) -> Result<String, Unsaid> {
        let call = call(plan, target, picture);
        let reply = self.carry(&call, caller).await.map_err(|failed| failed.error)?.response;
        let (head, body) = reply.into_parts();
        let read = timeout(self.config.clocks.idle, body::beginning(body, LONGEST_ANSWER)).await;
        let service = || call.service.alias.clone();
        let idle = |_| Error::Upstream { service: service(), fault: Fault::Idle, source: None };
        let answer = read.map_err(idle)?;
        if !head.status.is_success() {
            let reply = http::Response::from_parts(head, full(answer));
            return Err(Unsaid::Refused(Box::new((call, reply))));
        }
        path_in(&answer).map_err(|told| Error::Provider(Box::new(told)).into())
    }
}

fn call(plan: &Plan, target: &Target, picture: &Picture) -> Call {
    let boundary = format!("twinlane-{}", uuid::Uuid::now_v7().simple());
    let mut call = leg::call(plan, target, PATH.to_owned(), None, form(&boundary, picture), false);
    if let Ok(kind) = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}")) {
        call.headers.insert(http::header::CONTENT_TYPE, kind);
    }
    Call { method: Method::POST, stream: Stream::No, ..call }
}

/// A form with the image in it. The file's ending is what 1min.ai tells its kind by.
fn form(boundary: &str, picture: &Picture) -> Bytes {
    let (mime, ending) = (picture.kind.mime(), picture.kind.ending());
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"asset\"; filename=\"image.{ending}\"\r\n\
         content-type: {mime}\r\n\r\n"
    );
    [head.as_bytes(), &picture.bytes, format!("\r\n--{boundary}--\r\n").as_bytes()].concat().into()
}

/// The path that an answer names.
fn path_in(answer: &[u8]) -> Result<String, Told> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    if let Some(told) = Told::of_object(&answer) {
        return Err(told);
    }
    let path = answer.pointer("/fileContent/path").and_then(Value::as_str);
    path.filter(|path| !path.is_empty()).map(str::to_owned).ok_or_else(|| {
        Told::of_upstream(
            "invalid_upstream_response",
            "The provider took an image and did not say where it is",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{form, path_in};
    use crate::unified::fetch::Picture;

    #[test]
    fn an_image_is_a_file_with_the_right_ending() {
        let picture = Picture::of(bytes::Bytes::from_static(b"\xff\xd8\xff\r\n--")).unwrap();
        let expected = b"--b\r\ncontent-disposition: form-data; name=\"asset\"; filename=\"image.jpg\"\r\n\
            content-type: image/jpeg\r\n\r\n\xff\xd8\xff\r\n--\r\n--b--\r\n";
        assert_eq!(form("b", &picture), expected[..]);
    }

    #[test]
    fn an_answer_names_a_path_or_is_an_error() {
        assert_eq!(path_in(br#"{"fileContent":{"path":"images/a.png"}}"#).unwrap(), "images/a.png");
        for answer in ["", "{}", r#"{"fileContent":{"path":""}}"#, r#"{"asset":{"key":"k"}}"#] {
            let told = path_in(answer.as_bytes()).unwrap_err();
            assert_eq!(
                (told.status, told.code.as_deref()),
                (502, Some("invalid_upstream_response")),
                "{answer}"
            );
        }
        let told = path_in(br#"{"error":{"message":"no room"}}"#).unwrap_err();
        assert_eq!(told.message, "no room");
    }
}
