//! The document at `/openapi.json`: every address in it is answered as it says, by the running gateway.
//!
//! That it has every address and every word of the code, and no other, is held by `shared/gateway/src/openapi.rs`.
//! `scripts/test` installs what checks it, and says where that is; without it these tests fail, they are not skipped.

use std::path::PathBuf;
use std::process::Output;

use http::Method;
use serde_json::{Value, json};
use tokio::process::Command;
use twinlane_tests::client::{Answer, Sending};
use twinlane_tests::process::root;
use twinlane_tests::{Client, Twinlane};

const TOKEN: &str = "a-token-of-the-gateway-s";
const ADMIN: &str = "an-administrator-s-token";
const SETTINGS: [(&str, &str); 5] = [
    ("AUTH_TOKEN", TOKEN),
    ("ADMIN_TOKEN", ADMIN),
    ("GATEWAY_SECRET", "a-secret-of-the-gateway-s-of-32-bytes"),
    ("DEFAULT_SERVICE", "demo"),
    ("DEMO", "true"),
];

/// A gateway that knows no provider but the demo, so that a word made up by a machine leads nowhere else.
async fn gateway() -> Twinlane {
    let plain = Twinlane::start(&SETTINGS).await;
    let services = plain.client.get("/gateway/services").send().await.json();
    let mut off = json!({});
    for service in services["services"].as_array().unwrap() {
        off[service["alias"].as_str().unwrap()] = json!({ "enabled": false });
    }
    off.as_object_mut().unwrap().remove("demo").expect("the demo");
    let off = off.to_string();
    Twinlane::start(&[&SETTINGS[..], &[("PROXY_CONFIG", &off)]].concat()).await
}

fn text() -> String {
    std::fs::read_to_string(root().join("public/openapi.json")).unwrap()
}

fn document() -> Value {
    serde_json::from_str(&text()).unwrap()
}

/// A program of the environment that `scripts/test` makes, on its way.
fn tool(name: &str) -> Command {
    let python =
        std::env::var_os("TWINLANE_OPENAPI").expect("TWINLANE_OPENAPI is not set: run ./scripts/test");
    let mut command = Command::new(PathBuf::from(python).with_file_name(name));
    command.current_dir(root()).kill_on_drop(true);
    command
}

fn check(output: &Output) {
    let printed = [output.stdout.as_slice(), &output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&printed));
}

/// An operation of the document, with all that its examples say.
struct Example {
    id: String,
    method: Method,
    target: String,
    body: Option<Value>,
    /// Whether it cannot be asked for without a form.
    form: bool,
}

impl Example {
    fn of(document: &Value, path: &str, method: &str) -> Self {
        let (item, operation) = (&document["paths"][path], &document["paths"][path][method]);
        let parameters =
            [&item["parameters"], &operation["parameters"]].into_iter().filter_map(Value::as_array);
        let (mut target, mut query) = (path.to_owned(), Vec::new());
        for parameter in parameters.flatten().filter(|parameter| parameter["example"].is_string()) {
            let (name, example) =
                (parameter["name"].as_str().unwrap(), parameter["example"].as_str().unwrap());
            match parameter["in"].as_str() {
                Some("path") => target = target.replace(&format!("{{{name}}}"), example),
                _ => query.push(format!("{name}={example}")),
            }
        }
        assert!(!target.contains('{'), "{method} {path} has no example of a parameter");
        let separator = if query.is_empty() { "" } else { "?" };
        let kinds = &operation["requestBody"]["content"];
        let body = &kinds["application/json"];
        let first = body["examples"].as_object().and_then(|examples| examples.values().next());
        let body = body.get("example").or_else(|| first?.get("value")).cloned();
        Self {
            id: operation["operationId"].as_str().unwrap().to_owned(),
            method: method.to_uppercase().parse().unwrap(),
            target: format!("{target}{separator}{}", query.join("&")),
            form: body.is_none() && kinds["multipart/form-data"].is_object(),
            body,
        }
    }

    fn all(document: &Value) -> Vec<Self> {
        let methods = ["get", "head", "post", "put", "patch", "delete", "options"];
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            methods.iter().filter(|method| item.get(**method).is_some()).map(move |method| (path, *method))
        });
        operations.map(|(path, method)| Self::of(document, path, method)).collect()
    }

    async fn sent(&self, client: &Client) -> Answer {
        let token = if self.target.starts_with("/admin") { ADMIN } else { TOKEN };
        let call =
            client.call(&self.method, &self.target).header("authorization", &format!("Bearer {token}"));
        self.body.iter().fold(call, Sending::json).send().await
    }
}

#[tokio::test]
async fn the_document_is_what_its_sources_say_and_is_sound() {
    check(&tool("python").args(["scripts/openapi", "--check"]).output().await.unwrap());
    check(&tool("openapi-spec-validator").arg("public/openapi.json").output().await.unwrap());
}

#[tokio::test]
async fn the_document_is_served_to_everybody() {
    let gateway = Twinlane::start(&SETTINGS).await;
    let answer = gateway.client.get("/openapi.json").send().await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert!(answer.text() == text(), "the document of another build");
}

/// What the demo does not have, or nobody has put there: a file, a call that was made.
const ABSENT: [&str; 7] =
    ["filesOne", "filesDelete", "call", "passPut", "passPatch", "passDelete", "passOptions"];

#[tokio::test]
async fn every_address_is_answered_and_every_example_works() {
    let (gateway, document) = (gateway().await, document());
    for example in Example::all(&document) {
        let answer = example.sent(&gateway.client).await;
        let what = format!("{} {}: {} {}", example.method, example.target, answer.status, answer.text());
        if answer.header("x-error-source") == "gateway" {
            let code = answer.json()["error"]["code"].clone();
            assert!(
                !matches!(code.as_str(), Some("not_found" | "malformed_path" | "method_not_allowed")),
                "{what}"
            );
        }
        let works = answer.status < 300 && answer.whole;
        assert!(works || example.form || ABSENT.contains(&example.id.as_str()), "{what}");
    }
}

/// A minute of calls that a machine makes up, the same every time, each answer held to the document.
#[tokio::test]
async fn the_gateway_does_what_the_document_says_whatever_it_is_sent() {
    let gateway = gateway().await;
    let mut schemathesis = tool("schemathesis");
    schemathesis.args([
        "--config-file",
        "tests/openapi/schemathesis.toml",
        "run",
        "public/openapi.json",
        "--no-color",
    ]);
    schemathesis.args(["--url", &gateway.url()]).env("GATEWAY_TOKEN", TOKEN).env("ADMIN_TOKEN", ADMIN);
    check(&schemathesis.output().await.unwrap());
}
