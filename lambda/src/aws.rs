//! Who this function is to AWS: its role's credentials, its region, and requests signed with them.
//!
//! Credentials and region are found by `aws-config`, which knows how Lambda hands them out. The requests go over the
//! gateway's own client: an AWS SDK would bring a second one, and a second TLS library with it.

use std::time::SystemTime;

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::ProvideRegion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request};
use twinlane_gateway::body::BoxError;

/// A role of AWS, in a region.
#[derive(Debug, Clone)]
pub(crate) struct Aws {
    region: String,
    credentials: Credentials,
    /// Addresses that stand in for AWS's own, as every AWS tool reads them.
    endpoints: Vec<(String, String)>,
}

/// Something to ask of a service of AWS.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The service, as its host name and a signature call it.
    pub(crate) service: &'static str,
    /// The path.
    pub(crate) path: String,
    /// The type of the body, and what else the service wants to read in a header.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub(crate) body: Bytes,
}

impl Aws {
    /// What Lambda tells every function; none where it does not.
    pub(crate) async fn of_this_function(vars: &[(String, String)]) -> Option<Self> {
        let region = EnvironmentVariableRegionProvider::new().region().await?;
        let credentials = EnvironmentVariableCredentialsProvider::new().provide_credentials().await.ok()?;
        let endpoints =
            vars.iter().filter(|(name, url)| name.starts_with("AWS_ENDPOINT_URL") && !url.trim().is_empty());
        Some(Self { region: region.to_string(), credentials, endpoints: endpoints.cloned().collect() })
    }

    /// The same role, asking in another region.
    pub(crate) fn in_region(self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self }
    }

    /// Its credentials.
    pub(crate) fn keys(&self) -> Credentials {
        self.credentials.clone()
    }

    /// Where a table of this name is.
    pub(crate) fn table(&self, name: &str) -> twinlane_store_dynamodb::Settings {
        let endpoint = Some(self.endpoint("dynamodb"));
        twinlane_store_dynamodb::Settings {
            endpoint,
            ..twinlane_store_dynamodb::Settings::new(name, &self.region)
        }
    }

    /// The request that asks for something, signed at a time.
    pub(crate) fn request(&self, ask: Ask, now: SystemTime) -> Result<Request<Bytes>, BoxError> {
        let mut request = Request::post(format!("{}{}", self.endpoint(ask.service), ask.path)).body(())?;
        request.headers_mut().extend(ask.headers);
        self.sign(&mut request, ask.service, &ask.body, now)?;
        Ok(request.map(|()| ask.body))
    }

    fn endpoint(&self, service: &str) -> String {
        let ours = format!("AWS_ENDPOINT_URL_{}", variable(service));
        let set = |name: &str| self.endpoints.iter().find(|(known, _)| known == name);
        match set(&ours).or_else(|| set("AWS_ENDPOINT_URL")) {
            Some((_, url)) => url.trim().trim_end_matches('/').to_owned(),
            None => format!("https://{service}.{}.{}", self.region, domain(&self.region)),
        }
    }

    /// Puts a signature for a service into a request's headers.
    pub(crate) fn sign<T>(
        &self,
        request: &mut Request<T>,
        service: &str,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), BoxError> {
        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(now)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers =
            request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let (method, uri) = (request.method().to_string(), request.uri().to_string());
        let signable = SignableRequest::new(&method, uri, headers, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

/// A service's name in the variable that moves its endpoint.
fn variable(service: &str) -> &str {
    match service {
        "lambda" => "LAMBDA",
        "secretsmanager" => "SECRETS_MANAGER",
        "ssm" => "SSM",
        "dynamodb" => "DYNAMODB",
        other => other,
    }
}

/// Under which domain a region's services are.
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The header that says what a body is.
pub(crate) fn content_type(kind: &'static str) -> (HeaderName, HeaderValue) {
    (CONTENT_TYPE, HeaderValue::from_static(kind))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::{Duration, SystemTime};

    use aws_credential_types::Credentials;

    use super::{Ask, Aws, content_type};

    pub(crate) fn aws(endpoints: &[(&str, &str)]) -> Aws {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
        let endpoints = endpoints.iter().map(|(name, url)| ((*name).to_owned(), (*url).to_owned())).collect();
        Aws { region: "eu-central-1".to_owned(), credentials, endpoints }
    }

    fn ask(service: &'static str, path: &str) -> Ask {
        let headers = vec![content_type("application/json")];
        Ask { service, path: path.to_owned(), headers, body: "{}".into() }
    }

    /// The expected value is botocore's; tests/it/aws_deploy.rs compares with botocore itself.
    #[test]
    fn a_request_is_signed_as_botocore_signs_it() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let path = "/2021-11-15/functions/arn%3Aaws%3Alambda%3Aeu-central-1%3A123456789012%3Afunction%3Ab/response-streaming-invocations";
        let request = aws(&[]).request(ask("lambda", path), now).unwrap();
        assert_eq!(request.uri().host(), Some("lambda.eu-central-1.amazonaws.com"));
        assert_eq!(request.headers()["x-amz-security-token"], "token");
        assert_eq!(request.headers()["authorization"], BOTOCORE);
    }

    const BOTOCORE: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261118/eu-central-1/lambda/aws4_request, \
        SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
        Signature=097c68805e7df75a4cfa670087d91deadafcb0fbfb6c4e4384d8ad60c830dd54";

    #[test]
    fn an_endpoint_can_be_moved_as_for_every_tool_of_aws() {
        let uri = |endpoints: &[(&str, &str)]| {
            aws(endpoints).request(ask("secretsmanager", "/"), SystemTime::now()).unwrap().uri().to_string()
        };
        assert_eq!(uri(&[]), "https://secretsmanager.eu-central-1.amazonaws.com/");
        assert_eq!(uri(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1/")]), "http://127.0.0.1:1/");
        let both = [("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://b")];
        assert_eq!(uri(&both), "http://b/");
    }
}
