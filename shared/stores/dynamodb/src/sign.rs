//! Requests to DynamoDB, signed as AWS wants them.

use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};

use crate::Settings;

/// Whose requests they are; none while nobody knows.
pub type Keys = Arc<dyn Fn() -> Option<Credentials> + Send + Sync>;

/// What can go wrong before a request is sent.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// Signs for one region.
pub(crate) struct Signer {
    region: String,
    address: String,
    keys: Keys,
}

impl Signer {
    pub(crate) fn new(settings: &Settings, keys: Keys) -> Self {
        let region = settings.region.clone();
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let address = match &settings.endpoint {
            Some(endpoint) => format!("{}/", endpoint.trim().trim_end_matches('/')),
            None => format!("https://dynamodb.{region}.{domain}/"),
        };
        Self { region, address, keys }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A request for an action, signed at a time.
    pub(crate) fn request(
        &self,
        action: &str,
        body: Bytes,
        now: SystemTime,
    ) -> Result<Request<Bytes>, Error> {
        let mut request = Request::post(&self.address)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"))
            .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
            .body(())?;
        self.sign(&mut request, &body, now)?;
        Ok(request.map(|()| body))
    }

    fn sign(&self, request: &mut Request<()>, body: &[u8], now: SystemTime) -> Result<(), Error> {
        let identity = (self.keys)().ok_or("there are no credentials of AWS")?.into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("dynamodb")
            .time(now)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers =
            request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable =
            SignableRequest::new("POST", self.address.as_str(), headers, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use aws_credential_types::Credentials;

    use super::Signer;
    use crate::Settings;

    fn signer(settings: &Settings) -> Signer {
        let keys = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
        Signer::new(settings, Arc::new(move || Some(keys.clone())))
    }

    /// The expected value is botocore's.
    #[test]
    fn a_request_is_signed_as_botocore_signs_it() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let signer = signer(&Settings::new("table", "eu-central-1"));
        let request = signer.request("GetItem", "{}".into(), now).unwrap();
        assert_eq!(request.uri().host(), Some("dynamodb.eu-central-1.amazonaws.com"));
        assert_eq!(request.headers()["x-amz-security-token"], "token");
        assert_eq!(request.headers()["authorization"], BOTOCORE);
    }

    const BOTOCORE: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261118/eu-central-1/dynamodb/aws4_request, \
        SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, \
        Signature=1b533eb95eae59639afe99a4c501b69383f174f428bea1fe27110066c5ebbef5";

    #[test]
    fn the_address_follows_the_region_or_is_given() {
        let check = |region: &str, endpoint: Option<&str>, address: &str| {
            let endpoint = endpoint.map(str::to_owned);
            let settings = Settings { endpoint, ..Settings::new("table", region) };
            assert_eq!(signer(&settings).address(), address);
        };
        check("us-east-1", None, "https://dynamodb.us-east-1.amazonaws.com/");
        check("cn-north-1", None, "https://dynamodb.cn-north-1.amazonaws.com.cn/");
        check("us-east-1", Some(" http://127.0.0.1:1/ "), "http://127.0.0.1:1/");
    }

    #[test]
    fn without_credentials_nothing_is_sent() {
        let signer = Signer::new(&Settings::new("table", "eu-central-1"), Arc::new(|| None));
        let error = signer.request("GetItem", "{}".into(), SystemTime::now()).unwrap_err();
        assert_eq!(error.to_string(), "there are no credentials of AWS");
    }
}
