//! The two Lambda functions as they stand in an account: a Function URL before one, IAM before the other.
//!
//! `scripts/test` runs these twice: on what cargo builds, and on what `sam build` has built. What needs AWS's own tools is
//! in `aws_tools.rs`.
//!
//! A panic is not among these facts, as in `vercel_deploy.rs`: nothing that a client can send makes a function panic. That
//! one becomes an answer is shown in `door.rs` of the gateway, that one in a body ends it in `lambda/src/safe.rs`.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use twinlane_demo::{Demo, End};
use twinlane_tests::client::Sending;
use twinlane_tests::lambda::account::{Account, Asked, Mood};
use twinlane_tests::lambda::{Function, MOST_EVENT, Part, event, url};
use twinlane_tests::{Answer, Client, SOON, eventually};

use crate::world::{chat, proxy_config};

pub(crate) const LONG: Duration = Duration::from_secs(60);
pub(crate) const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:twinlane-background";

/// What `sam deploy` makes of the template, and a provider.
pub(crate) struct Deployed {
    provider: Demo,
    pub(crate) account: Account,
    gateway: Function,
    background: Function,
    client: Client,
}

impl Deployed {
    async fn new() -> Self {
        Self::with(&[], &json!({}), LONG).await
    }

    pub(crate) async fn with(vars: &[(&str, &str)], fields: &Value, lasts: Duration) -> Self {
        let (provider, account) = (Demo::start().await.unwrap(), Account::open().await);
        let config = proxy_config(&provider, fields);
        let vars = [&[("PROXY_CONFIG", config.as_str())], vars].concat();
        let background = account.function("twinlane-background", "lambda-background", &vars).await;
        let vars = [&[("BACKGROUND_FUNCTION", ARN)], &vars[..]].concat();
        let gateway = account.function("twinlane-gateway", "lambda-gateway", &vars).await;
        let client = url::open(&gateway, lasts).await;
        Self { provider, account, gateway, background, client }
    }

    fn chat(&self, stream: bool) -> Sending {
        self.client.post("/gateway/p/v1/chat/completions").json(&chat(stream))
    }

    pub(crate) fn embed(&self) -> Sending {
        self.client.post("/gateway/p/v1/embeddings").json(&json!({ "model": "demo", "input": "x" }))
    }

    /// The one time that the background was invoked.
    pub(crate) fn invocation(&self) -> Asked {
        let mut asked = self.account.asked();
        assert_eq!(asked.len(), 1, "{asked:#?}");
        asked.remove(0)
    }
}

fn lane(answer: &Answer) -> (u16, &str, &str) {
    (answer.status, answer.header("x-processing-mode"), answer.header("x-lane-reason"))
}

#[tokio::test]
async fn both_lanes_work_and_nothing_of_the_platform_reaches_the_provider() {
    let vars = [("GATEWAY_SECRET", "s"), ("AUTH_TOKEN", "tok-1"), ("LOG_LEVEL", "DEBUG")];
    let deployed = Deployed::with(&vars, &json!({}), LONG).await;
    for (call, expected) in [
        (deployed.chat(false), (200, "edge", "small-body")),
        (deployed.embed(), (200, "background", "embeddings")),
    ] {
        deployed.provider.clear();
        let call = call.header("authorization", "Bearer tok-1").header("x-request-id", "call-7");
        let answer = call.header("cookie", "a=1; b=2").send().await;
        assert_eq!(lane(&answer), expected, "{}", answer.text());
        assert_eq!(answer.header("x-request-id"), "call-7");
        let seen = deployed.provider.calls().remove(0);
        for name in seen.headers.keys().map(http::HeaderName::as_str) {
            let foreign = ["x-amz", "x-forwarded-", "x-twinlane-", "cookie"];
            assert!(!foreign.iter().any(|foreign| name.starts_with(foreign)), "{name}");
        }
        assert!(!format!("{seen:?}").contains("tok-1"));
    }
    let printed = || deployed.background.process.printed();
    eventually("the background logs the edge's id", || printed().contains("call call-7 out")).await;
}

#[tokio::test]
async fn the_background_hears_the_caller_s_address_and_the_signature_is_believed() {
    let deployed = Deployed::with(&[("GATEWAY_SECRET", "s"), ("AUTH_TOKEN", "t")], &json!({}), LONG).await;
    deployed.embed().header("x-api-key", "t").send().await;
    let event: Value = serde_json::from_slice(&deployed.invocation().body).unwrap();
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "203.0.113.5");
    let streamed = deployed.background.invoke(event, LONG).streamed().await;
    assert_eq!(streamed.prelude["headers"]["x-twinlane-vouched"], "yes");
}

#[tokio::test]
async fn a_stream_of_either_lane_arrives_chunk_by_chunk() {
    let unaware = json!({ "supportsStreaming": false });
    for (vars, fields, expected) in
        [(&[][..], json!({}), "edge"), (&[("LARGE_BODY_SIZE", "10")], unaware, "background")]
    {
        let deployed = Deployed::with(vars, &fields, LONG).await;
        let pace = [("x-demo-chunks", "5"), ("x-demo-chunk-delay-ms", "200")];
        let answer = deployed.chat(true).headers(&pace).open().await;
        assert_eq!(answer.headers()["x-processing-mode"], expected);
        let (mut body, mut heard, mut text) = (answer.into_body(), Vec::new(), Vec::new());
        while let Some(frame) = body.frame().await {
            heard.push(Instant::now());
            text.extend_from_slice(&frame.unwrap().into_data().unwrap());
        }
        assert!(text.ends_with(b"data: [DONE]\n\n"), "{expected}");
        let took = heard.last().unwrap().duration_since(heard[0]);
        assert!(heard.len() >= 5 && took >= Duration::from_millis(600), "{expected}: {took:?}");
    }
}

#[tokio::test]
async fn any_body_crosses_both_functions_byte_for_byte() {
    let deployed = Deployed::new().await;
    let quoted = json!({ "text": "\"\\\n\t\u{1f600}é\u{7f}\u{1}" }).to_string().repeat(50_000);
    for (kind, body) in [
        ("application/octet-stream", twinlane_demo::bytes(4_000_000).to_vec()),
        ("application/json", quoted.into_bytes()),
        ("application/json", b"{\"not\":\"UTF-8 \xff\"}".to_vec()),
        ("multipart/form-data; boundary=x", twinlane_demo::bytes(2_000_000).to_vec()),
        ("text/plain; charset=utf-8", Vec::new()),
    ] {
        for (path, expected) in
            [("/gateway/p/echo/files", "background"), ("/gateway/p/echo?stream=true", "edge")]
        {
            deployed.provider.clear();
            let answer =
                deployed.client.post(path).header("content-type", kind).body(body.clone()).send().await;
            let size = body.len();
            assert_eq!((answer.status, answer.header("x-processing-mode")), (200, expected), "{kind} {size}");
            assert!(answer.body == body, "{kind} {size} came back as {} bytes", answer.body.len());
            assert_eq!(Sha256::digest(&deployed.provider.calls()[0].body), Sha256::digest(&body));
        }
    }
}

#[tokio::test]
async fn a_target_crosses_the_hop_as_the_client_wrote_it() {
    let deployed = Deployed::with(&[("GATEWAY_SECRET", "s")], &json!({}), LONG).await;
    let target = "/v1/files/a%2Fb%20c{d}?x=%20y&z=a+b&z=%C3%A9";
    let answer = deployed.client.post(&format!("/gateway/p{target}")).body("{}").send().await;
    assert_eq!(answer.header("x-processing-mode"), "background");
    assert_eq!(deployed.provider.calls()[0].target, target);
}

#[tokio::test]
async fn a_body_too_large_is_told_with_limit_size_and_remedy_before_lambda_cuts_it_off() {
    let deployed = Deployed::new().await;
    let send = async |size: usize| {
        let call = deployed.client.post("/gateway/p/echo").header("content-type", "application/octet-stream");
        call.body(vec![0xff; size]).send().await
    };
    let limits = deployed.client.get("/limits").send().await.json();
    let most = usize::try_from(limits["request_bytes"].as_u64().unwrap()).unwrap();
    assert_eq!(send(most).await.status, 200, "what /limits promises passes, whatever its bytes");
    let ours = send(most + 1).await;
    assert_eq!((ours.status, ours.header("x-error-source")), (413, "gateway"));
    for part in [&most.to_string(), &(most + 1).to_string(), "MAX_REQUEST_SIZE"] {
        assert!(ours.text().contains(part), "{part} in {}", ours.text());
    }
    let platform = send(4_800_000).await;
    assert!(platform.status == 413 && platform.text().contains("6291456"), "{}", platform.text());
}

/// An event that Lambda would not have let in by a URL; what it can hold is the hop's business alone.
fn oversized() -> Value {
    let headers = json!({ "content-type": "application/json" });
    event("POST", "/gateway/p/echo/files", "", &headers, &"x".repeat(MOST_EVENT))
}

#[tokio::test]
async fn a_call_too_large_for_the_hop_stays_at_the_edge_or_is_told_why() {
    for (fallback, status) in [("true", 200), ("false", 413)] {
        let vars = [("MAX_REQUEST_SIZE", "9000000"), ("ENABLE_FALLBACK", fallback)];
        let deployed = Deployed::with(&vars, &json!({ "maxResponseSize": 9_000_000 }), LONG).await;
        let streamed = deployed.gateway.invoke(oversized(), LONG).streamed().await;
        assert_eq!(streamed.prelude["statusCode"], status);
        assert!(deployed.account.asked().is_empty(), "Lambda is not asked in vain");
        let told = String::from_utf8_lossy(&streamed.body);
        assert!(fallback == "true" || told.contains("limit is 6291456 bytes"), "{told}");
        assert_eq!(deployed.provider.calls().len(), usize::from(fallback == "true"));
    }
}

#[tokio::test]
async fn a_background_that_lambda_does_not_start_falls_back() {
    let deployed = Deployed::new().await;
    for (status, kind) in [
        (429, "TooManyRequestsException"),
        (404, "ResourceNotFoundException"),
        (403, "AccessDeniedException"),
        (413, "RequestTooLargeException"),
        (409, "ResourceConflictException"),
        (400, "InvalidRequestContentException"),
    ] {
        deployed.provider.clear();
        deployed.account.is(Mood::Refuses(status, kind));
        let answer = deployed.embed().send().await;
        assert_eq!(lane(&answer), (200, "edge", "fallback"), "{kind}: {}", answer.text());
        assert_eq!(deployed.provider.calls().len(), 1, "{kind}");
    }
    assert_eq!(deployed.account.asked().len(), 6, "each call asks once");
}

#[tokio::test]
async fn a_background_that_nobody_serves_falls_back() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nowhere = format!("http://{closed}");
    let deployed = Deployed::with(&[("AWS_ENDPOINT_URL_LAMBDA", &nowhere)], &json!({}), LONG).await;
    assert_eq!(lane(&deployed.embed().send().await), (200, "edge", "fallback"));
}

#[tokio::test]
async fn a_background_that_may_have_called_the_provider_is_not_replaced() {
    let deployed = Deployed::new().await;
    for mood in [
        Mood::Refuses(500, "ServiceException"),
        Mood::Refuses(502, "KMSDisabledException"),
        Mood::Fails,
        Mood::Breaks(0),
    ] {
        deployed.provider.clear();
        deployed.account.is(mood);
        let answer = deployed.embed().send().await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (502, &"background_failed".into()),
            "{mood:?}"
        );
        assert!(answer.header("x-processing-mode") == "background", "{mood:?}");
    }
}

#[tokio::test]
async fn a_background_that_dies_while_the_provider_works_is_not_replaced() {
    let mut deployed = Deployed::new().await;
    let call = tokio::spawn(deployed.embed().header("x-demo-silence", "head").send());
    eventually("the provider has the call", || deployed.provider.calls().len() == 1).await;
    deployed.background.crash().await;
    let answer = call.await.unwrap();
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (502, &"background_failed".into()));
    assert_eq!(deployed.provider.calls().len(), 1, "the provider may have served it: once is enough");
}

#[tokio::test]
async fn a_background_that_dies_in_the_middle_of_a_stream_ends_it_in_an_error() {
    let vars = [("LARGE_BODY_SIZE", "10")];
    let mut deployed = Deployed::with(&vars, &json!({ "supportsStreaming": false }), LONG).await;
    let pace = [("x-demo-chunks", "100000"), ("x-demo-chunk-delay-ms", "20")];
    let mut body = deployed.chat(true).headers(&pace).open().await.into_body();
    body.frame().await.unwrap().unwrap();
    deployed.background.crash().await;
    let rest = tokio::time::timeout(SOON, body.collect()).await.unwrap().unwrap().to_bytes();
    let text = String::from_utf8_lossy(&rest);
    assert!(text.contains("upstream_closed") && !text.contains("[DONE]"), "{text}");
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_stream_crosses_the_hop_in_its_protocol() {
    let vars = [("LARGE_BODY_SIZE", "10")];
    let deployed = Deployed::with(&vars, &json!({ "supportsStreaming": false }), LONG).await;
    let answer =
        deployed.chat(true).headers(&[("x-demo-cut", "body"), ("x-demo-cut-after", "3")]).send().await;
    let text = answer.text();
    assert_eq!(text.matches("upstream_closed").count(), 1, "{text}");
    assert!(!text.contains("Lambda-Runtime-Function-Error") && !text.contains("[DONE]"), "{text}");
}

#[tokio::test]
async fn the_gateway_ends_in_words_before_its_time_is_up_whatever_the_background_does() {
    let unaware = json!({ "supportsStreaming": false });
    let vars = [("LARGE_BODY_SIZE", "10")];
    let deployed = Deployed::with(&vars, &unaware, Duration::from_secs(5)).await;
    let began = Instant::now();
    let silent = deployed.embed().header("x-demo-silence", "head").send().await;
    assert_eq!((silent.status, &silent.json()["error"]["code"]), (504, &"deadline".into()));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    // Lambda has the background go on for nobody; another environment takes the next call.
    let deployed = Deployed::with(&vars, &unaware, Duration::from_secs(5)).await;
    let endless = [("x-demo-chunks", "100000"), ("x-demo-chunk-delay-ms", "50")];
    let stream = deployed.chat(true).headers(&endless).send().await;
    let text = stream.text();
    assert!(stream.whole && text.contains("\"deadline\"") && !text.contains("[DONE]"), "{text}");
}

#[tokio::test]
async fn headers_that_come_twice_are_joined_once_and_cookies_stay_out() {
    let deployed = Deployed::with(&[("LARGE_BODY_SIZE", "1")], &json!({}), LONG).await;
    let answer = deployed.client.post("/gateway/p/headers").body("large").send().await;
    assert_eq!((answer.header("x-processing-mode"), answer.header("x-multi")), ("background", "one, two"));
    assert_eq!(answer.headers.get_all("x-multi").iter().count(), 1);
    assert!(
        !answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("x-twinlane-background")
    );
}

#[tokio::test]
async fn an_answer_without_a_body_ends() {
    let deployed = Deployed::with(&[("ALLOWED_ORIGIN", "https://a.example")], &json!({}), LONG).await;
    let preflight = [("origin", "https://a.example"), ("access-control-request-method", "POST")];
    let options =
        deployed.client.call(&http::Method::OPTIONS, "/gateway/p/v1/embeddings").headers(&preflight);
    let answer = options.send().await;
    assert!(answer.whole && answer.status == 204 && answer.body.is_empty(), "{answer:?}");
    let empty = deployed.client.post("/gateway/p/status/204/files").body("x").send().await;
    assert!(empty.whole, "{empty:?}");
}

/// Not a promise but Lambda's habit, which docs/deploy-aws.md tells: nobody says that the client has gone.
#[tokio::test]
async fn a_client_that_leaves_is_not_noticed() {
    let deployed = Deployed::new().await;
    let pace = [("x-demo-chunks", "20"), ("x-demo-chunk-delay-ms", "20")];
    let mut body = deployed.chat(true).headers(&pace).open().await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    eventually("the provider is heard out", || deployed.provider.calls()[0].end == End::Complete).await;
}

#[tokio::test]
async fn keys_are_read_from_a_secret_or_a_parameter_and_the_environment_goes_before_them() {
    let (provider, account) = (Demo::start().await.unwrap(), Account::open().await);
    let config: Value = serde_json::from_str(&proxy_config(&provider, &json!({}))).unwrap();
    let kept =
        json!({ "P_API_KEY": "sk-kept", "AUTH_TOKEN": "tok-kept", "PROXY_CONFIG": config }).to_string();
    for arn in [
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:twinlane-AbCdEf",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/twinlane/settings",
    ] {
        account.keep(arn, &kept);
        let vars = [("SECRETS_ARN", arn), ("AUTH_TOKEN", "tok-set"), ("P_API_KEY", "")];
        let gateway = account.function("twinlane-gateway", "lambda-gateway", &vars).await;
        let client = url::open(&gateway, LONG).await;
        provider.clear();
        let call = |token| {
            client.post("/gateway/p/v1/chat/completions").json(&chat(false)).header("x-api-key", token)
        };
        assert_eq!(call("tok-kept").send().await.status, 401, "{arn}");
        assert_eq!(call("tok-set").send().await.status, 200, "{arn}");
        assert_eq!(provider.calls()[0].headers["authorization"], "Bearer sk-kept");
        assert!(!gateway.process.printed().contains("kept"));
        let signed = account.asked().last().unwrap().headers["authorization"].to_str().unwrap().to_owned();
        assert!(signed.contains("/eu-west-1/s"), "{signed}");
    }
}

#[tokio::test]
async fn secrets_that_cannot_be_read_are_every_call_s_answer() {
    let account = Account::open().await;
    let broken = "arn:aws:ssm:eu-west-1:123456789012:parameter/broken";
    account.keep(broken, "sk-not-json");
    for (arn, why) in [
        (broken, "does not hold a JSON object"),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:gone", "does not exist"),
        ("sk-a-key-instead", "is not the ARN"),
    ] {
        let gateway = account.function("g", "lambda-gateway", &[("SECRETS_ARN", arn)]).await;
        let answer = url::open(&gateway, LONG).await.get("/v1/models").send().await;
        assert_eq!(answer.status, 500);
        assert!(answer.text().contains("SECRETS_ARN") && answer.text().contains(why), "{}", answer.text());
        assert!(!answer.text().contains("sk-"), "{}", answer.text());
    }
}

#[tokio::test]
async fn without_credentials_every_call_stays_at_the_edge() {
    let (provider, vars) = (Demo::start().await.unwrap(), [("BACKGROUND_FUNCTION", "b")]);
    let config = proxy_config(&provider, &json!({}));
    let gateway =
        Function::start("lambda-gateway", &[&[("PROXY_CONFIG", config.as_str())], &vars[..]].concat()).await;
    let client = url::open(&gateway, LONG).await;
    let answer =
        client.post("/gateway/p/v1/embeddings").json(&json!({ "model": "demo", "input": "x" })).send().await;
    assert_eq!(lane(&answer), (200, "edge", "background-off"));
}

#[tokio::test]
async fn an_event_that_is_no_request_is_refused_and_the_function_lives_on() {
    let deployed = Deployed::new().await;
    let mut refused = deployed.gateway.invoke(json!({ "not": "a request" }), LONG);
    assert!(matches!(refused.part().await, Part::Error(_)));
    assert_eq!(deployed.chat(false).send().await.status, 200);
}
