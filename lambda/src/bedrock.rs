//! Amazon Bedrock by the function's own role, where there is no key for it.
//!
//! The service name in the signature is `bedrock`, as AWS's own tools sign for its runtime. That its mantle endpoint takes
//! the same has not been seen: there is no account to ask. `AWS_BEARER_TOKEN_BEDROCK` is the way that is documented.

use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use twinlane_gateway::signer::Signer;
use twinlane_gateway::{Config, Invalid};

use crate::aws::Aws;

/// Signs requests to Bedrock.
#[derive(Debug)]
pub(crate) struct Bedrock(Aws);

impl Bedrock {
    /// By a role, in the region of the settings' Bedrock.
    pub(crate) fn of(aws: Aws, config: &Result<Config, Invalid>) -> Self {
        let service = config.as_ref().ok().and_then(|config| config.services.get("bedrock"));
        let host = service.map(|service| service.authority.host().to_owned());
        // bedrock-mantle.{region}.api.aws
        let region = host.as_deref().and_then(|host| host.split('.').nth(1)).map(str::to_owned);
        Self(match region {
            Some(region) => aws.in_region(&region),
            None => aws,
        })
    }
}

impl Signer for Bedrock {
    fn sign(&self, request: &mut Request<Bytes>) {
        let body = request.body().clone();
        if let Err(error) = self.0.sign(request, "bedrock", &body, SystemTime::now()) {
            tracing::warn!("a request to Bedrock could not be signed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use twinlane_gateway::signer::Signer;
    use twinlane_gateway::{Config, Platform};

    use super::Bedrock;
    use crate::aws::tests::aws;

    #[test]
    fn a_request_is_signed_for_bedrock_in_the_region_of_its_host() {
        let config = Config::read([("BEDROCK_REGION", "us-west-2")], Platform::Lambda);
        let service = config.as_ref().unwrap().services.get("bedrock").unwrap();
        let url = service.url("/v1/chat/completions", None).unwrap();
        let mut request = Request::post(url).body("{}".into()).unwrap();
        Bedrock::of(aws(&[]), &config).sign(&mut request);
        let signature = request.headers()["authorization"].to_str().unwrap();
        assert!(signature.contains("/us-west-2/bedrock/aws4_request"), "{signature}");
        assert_eq!(request.headers()["x-amz-security-token"], "token");
    }
}
