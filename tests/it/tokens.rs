//! Signed tokens and signed requests: who is let in, for what, and what is told to the rest.

use std::process::{Command, Output};

use example::sign;
use serde_json::{Value, json};
use twinlane_tests::client::{Answer, Sending};
use twinlane_tests::process::{program, root};
use twinlane_tests::{Client, Twinlane, eventually};

use crate::world::{World, chat, proxy_config};

pub(crate) const SECRET: &str = "an-old-secret-of-the-gateway-0001";
const NEW: &str = "a-new-secret-of-the-gateway-00002";
pub(crate) const ADMIN: &str = "an-administrator-s-token";
const KEY: (&str, &str) = ("P_API_KEY", "server-key");

/// What `twinlane token` does with these words, and these settings.
fn twinlane_token(words: &[&str], vars: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program("twinlane"));
    command.arg("token").args(words).env_clear().envs(vars.iter().copied()).current_dir(std::env::temp_dir());
    command.output().expect("twinlane starts")
}

fn told(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// A token with these flags.
pub(crate) fn token(flags: &[&str]) -> String {
    let output = twinlane_token(&[&["new"], flags].concat(), &[("GATEWAY_SECRET", SECRET)]);
    let (token, facts) = told(&output);
    assert!(output.status.success(), "{facts}");
    token
}

fn id_of(token: &str) -> String {
    let (facts, _) = told(&twinlane_token(&["inspect", token], &[("GATEWAY_SECRET", SECRET)]));
    serde_json::from_str::<Value>(&facts).expect("facts")["id"].as_str().expect("an id").to_owned()
}

async fn world(vars: &[(&str, &str)]) -> World {
    World::with(&[&[("AUTH_TOKEN", "tok-1"), ("GATEWAY_SECRET", SECRET), KEY], vars].concat(), &json!({}))
        .await
}

pub(crate) fn bearer(call: Sending, token: &str) -> Sending {
    call.header("authorization", &format!("Bearer {token}"))
}

fn refusal(answer: &Answer) -> (u16, String, Value) {
    let error = &answer.json()["error"];
    (answer.status, error["code"].as_str().unwrap_or_default().to_owned(), error["param"].clone())
}

#[tokio::test]
async fn a_token_from_the_command_line_opens_the_gateway_and_reaches_no_provider() {
    let world = world(&[]).await;
    let token = token(&["--name", "alice", "--services", "p", "--models", "demo,text-*", "--expires", "1h"]);
    for name in ["authorization", "x-api-key", "api-key", "x-goog-api-key", "x-auth-token"] {
        for call in [world.chat(), world.embed()] {
            assert_eq!(call.header(name, &token).send().await.status, 200, "{name}");
            let seen = world.seen().headers;
            assert_eq!(seen["authorization"], "Bearer server-key", "{name}");
            assert!(!format!("{seen:?}").contains(&token), "{seen:?}");
            world.provider.clear();
        }
    }
    let answer =
        world.post(&format!("/v1/chat/completions?auth_token={token}")).json(&chat(false)).send().await;
    assert_eq!((answer.status, world.seen().target.as_str()), (200, "/v1/chat/completions"));
    let line = world.gateway.logged_end(answer.header("x-gateway-request-id")).await;
    assert!(line.contains(&id_of(&token)), "{line}");
    assert!(!world.gateway.process.printed().contains(&token));
}

#[tokio::test]
async fn what_is_outside_of_a_token_s_scope_is_refused_by_name() {
    let world = world(&[]).await;
    let call = |flags: &[&str]| bearer(world.chat(), &token(flags));
    for (flags, scope) in [
        (&["--services", "openai"][..], "service"),
        (&["--models", "gpt-*"], "model"),
        (&["--paths", "/v1/embeddings"], "path"),
        (&["--origins", "https://app.example"], "origin"),
        (&["--max-tokens", "10"], "max_tokens"),
    ] {
        let answer = call(flags).send().await;
        assert_eq!(refusal(&answer), (403, "outside_scope".to_owned(), scope.into()), "{flags:?}");
        assert_eq!(answer.json()["error"]["type"], "FORBIDDEN");
    }
    assert!(world.provider.calls().is_empty());
    let page = ["--browser", "--origin", "https://app.example"];
    assert_eq!(call(&page).header("origin", "https://app.example").send().await.status, 200);
    let mut short = chat(false);
    short["max_tokens"] = 10.into();
    assert_eq!(call(&["--max-tokens", "10"]).json(&short).send().await.status, 200);
    assert_eq!(call(&["--paths", "/v1/chat", "--models", "de*"]).send().await.status, 200);
}

#[tokio::test]
async fn the_unified_api_refuses_in_the_client_s_own_words() {
    let world = world(&[]).await;
    let token = token(&["--services", "p", "--models", "demo"]);
    let call = |model: &str| {
        let body =
            json!({ "model": model, "max_tokens": 5, "messages": [{ "role": "user", "content": "Hi" }] });
        bearer(world.gateway.client.post("/v1/messages").json(&body), &token)
            .header("anthropic-version", "2023-06-01")
    };
    assert_eq!(call("p/demo").send().await.status, 200);
    for model in ["p/other", "claude-opus-4", "gpt-4o"] {
        let answer = call(model).send().await;
        let error = answer.json();
        assert_eq!((answer.status, &error["error"]["type"]), (403, &"permission_error".into()), "{error}");
    }
    assert_eq!(world.provider.calls().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused_with_the_reason() {
    let good = token(&["--expires", "1h"]);
    let revoked = token(&[]);
    let world = world(&[("REVOKED_TOKENS", &id_of(&revoked))]).await;
    let foreign = {
        let output = twinlane_token(&["new"], &[("GATEWAY_SECRET", NEW)]);
        told(&output).0
    };
    let (head, _) = good.rsplit_once('.').unwrap();
    for (shown, code) in [
        (&revoked, "token_revoked"),
        (&foreign, "token_foreign"),
        (&format!("{head}.AAAA"), "token_foreign"),
        (&format!("{head}."), "token_foreign"),
        (&format!("{good}{}", "A".repeat(5000)), "token_malformed"),
    ] {
        let answer = bearer(world.chat(), shown).send().await;
        assert_eq!(refusal(&answer), (401, code.to_owned(), Value::Null));
        assert!(!answer.text().contains(shown.as_str()));
    }
    let doubled = bearer(world.chat(), &good).header("x-api-key", &token(&[])).send().await;
    assert_eq!(refusal(&doubled).1, "token_doubled");
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn two_secrets_hold_at_once_and_the_hop_holds_with_them() {
    let old = token(&["--paths", "/v1/chat", "--models", "fast"]);
    let provider = twinlane_demo::Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    let common = [("AUTH_TOKEN", "tok-1"), KEY, ("PROXY_CONFIG", config.as_str())];
    let both = format!("{NEW},{SECRET}");
    let background = Twinlane::start_background(&[&common[..], &[("GATEWAY_SECRET", &both)]].concat()).await;
    let url = background.url();
    let edge = [("BACKGROUND_URL", url.as_str()), ("LARGE_BODY_SIZE", "10"), ("ENABLE_FALLBACK", "false")];
    let alias = ("MODEL_ALIASES", r#"{"fast":["p/demo"]}"#);
    for secrets in [both.as_str(), SECRET] {
        let vars = [&common[..], &edge, &[("GATEWAY_SECRET", secrets), alias]].concat();
        let gateway = Twinlane::start(&vars).await;
        let body =
            json!({ "model": "fast", "messages": [{ "role": "user", "content": "Hi there, and hello" }] });
        let answer = bearer(gateway.client.post("/v1/chat/completions").json(&body), &old).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-processing-mode"), "background");
    }
    // The background knows neither the alias nor the edge's word for it when it is called directly.
    let direct = background.client.post("/gateway/p/v1/chat/completions").json(&chat(false));
    assert_eq!(refusal(&bearer(direct, &old).send().await).2, "model");
}

#[tokio::test]
async fn an_administrator_issues_tokens_and_nobody_else_does() {
    let world = world(&[("ADMIN_TOKEN", ADMIN), ("ALLOWED_ORIGIN", "https://app.example")]).await;
    let order = json!({ "name": "bob", "services": ["p"], "budget": "5usd/month", "expires": "1d" });
    let ask = |client: &Client| client.post("/admin/tokens").json(&order);
    let issued =
        bearer(ask(&world.gateway.client), ADMIN).header("origin", "https://app.example").send().await;
    assert_eq!(issued.status, 201, "{}", issued.text());
    assert_eq!(
        (issued.header("cache-control"), issued.header("access-control-allow-origin")),
        ("no-store", "")
    );
    let facts = issued.json();
    assert_eq!((&facts["name"], &facts["budget"]), (&"bob".into(), &"5usd/month".into()));
    assert_eq!(bearer(world.chat(), facts["token"].as_str().unwrap()).send().await.status, 200);
    for wrong in ["tok-1", "", "an-administrator-s-tokem", facts["token"].as_str().unwrap()] {
        assert_eq!(bearer(ask(&world.gateway.client), wrong).send().await.status, 401, "{wrong}");
    }
    assert_eq!(ask(&world.gateway.client).header("x-api-key", ADMIN).send().await.status, 401);
    let spoiled = json!({ "services": ["nobody"], "budget": "5" });
    let answer = bearer(world.gateway.client.post("/admin/tokens").json(&spoiled), ADMIN).send().await;
    assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &"services".into()));
    let revoked = world.gateway.client.call(&http::Method::DELETE, "/admin/tokens/id-1");
    let revoked = bearer(revoked, ADMIN).send().await;
    assert_eq!((revoked.status, &revoked.json()["holds"]), (200, &"this instance".into()));
    world.provider.clear();
    assert_eq!(bearer(world.chat(), ADMIN).header("x-auth-token", "tok-1").send().await.status, 200);
    assert_eq!(world.seen().headers["authorization"], "Bearer server-key", "it reaches no provider");
    let closed = World::with(&[("GATEWAY_SECRET", SECRET)], &json!({})).await;
    assert_eq!(bearer(ask(&closed.gateway.client), ADMIN).send().await.status, 404);
}

/// Signs by Python's standard library, by the very example of docs/access.md: what that page tells is what is checked.
pub(crate) mod example {
    use std::process::Command;

    use twinlane_tests::process::root;

    pub(crate) fn sign(id: &str, secret: &str, method: &str, target: &str, body: &str) -> String {
        let page = std::fs::read_to_string(root().join("docs/access.md")).unwrap();
        let (_, rest) = page.split_once("```python\n").expect("the example in Python");
        let (example, _) = rest.split_once("```").expect("its end");
        let call = "\nprint(signature(*sys.argv[1:5], sys.argv[5].encode()))\n";
        let mut python = Command::new("python3");
        python.arg("-c").arg(format!("import sys\n{example}{call}")).args([id, secret, method, target, body]);
        let output = python.output().expect("python3");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

#[tokio::test]
async fn a_signed_request_is_served_once_and_only_as_it_was_signed() {
    let client = "a-client-s-secret-for-requests";
    let world = world(&[("REQUEST_KEYS", &format!("backend:{client}"))]).await;
    let (target, body) = ("/gateway/p/v1/chat/completions?a=%20b", chat(false).to_string());
    let send = |signature: &str, target: &str, body: &str| {
        let call = world.gateway.client.post(target).header("content-type", "application/json");
        call.header("authorization", signature).body(body.to_owned()).send()
    };
    let signed = sign("backend", client, "POST", target, &body);
    let answer = send(&signed, target, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.seen().headers;
    assert_eq!(seen["authorization"], "Bearer server-key");
    assert_eq!(refusal(&send(&signed, target, &body).await).1, "signature_replayed");
    let anew = || sign("backend", client, "POST", target, &body);
    for (signature, target, body, code) in [
        (anew(), target, "{}", "signature_body_changed"),
        (anew(), "/gateway/p/v1/chat/completions", body.as_str(), "signature_wrong"),
        (
            sign("backend", "another-secret-of-some-length", "POST", target, &body),
            target,
            &body,
            "signature_wrong",
        ),
        (sign("stranger", client, "POST", target, &body), target, &body, "signature_wrong"),
        ("TWINLANE-HMAC-SHA256 key=backend".to_owned(), target, &body, "signature_malformed"),
    ] {
        assert_eq!(refusal(&send(&signature, target, body).await), (401, code.to_owned(), Value::Null));
    }
    assert_eq!(world.provider.calls().len(), 1);
}

#[tokio::test]
async fn a_signed_request_takes_the_background_lane_under_a_token_of_the_edge_s() {
    let client = "a-client-s-secret-for-requests";
    let provider = twinlane_demo::Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    let common =
        [("AUTH_TOKEN", "tok-1"), KEY, ("PROXY_CONFIG", config.as_str()), ("GATEWAY_SECRET", SECRET)];
    let background = Twinlane::start_background(&common).await;
    let url = background.url();
    let keys = format!(r#"{{"backend":{{"secret":"{client}","paths":["/v1/embeddings"]}}}}"#);
    let edge = [("BACKGROUND_URL", url.as_str()), ("REQUEST_KEYS", &keys), ("ENABLE_FALLBACK", "false")];
    let gateway = Twinlane::start(&[&common[..], &edge].concat()).await;
    let (target, body) =
        ("/gateway/p/v1/embeddings", json!({ "model": "demo", "input": "hello" }).to_string());
    let signed = sign("backend", client, "POST", target, &body);
    let call = gateway.client.post(target).header("content-type", "application/json");
    let answer = call.header("authorization", &signed).body(body).send().await;
    assert_eq!((answer.status, answer.header("x-processing-mode")), (200, "background"), "{}", answer.text());
    assert_eq!(provider.calls()[0].headers["authorization"], "Bearer server-key");
    let chat = chat(false).to_string();
    let signed = sign("backend", client, "POST", "/gateway/p/v1/chat/completions", &chat);
    let call = gateway.client.post("/gateway/p/v1/chat/completions").header("authorization", &signed);
    assert_eq!(refusal(&call.body(chat).send().await).2, "path");
}

#[test]
fn the_command_line_names_the_flag_at_fault() {
    let vars = [("GATEWAY_SECRET", SECRET)];
    for (words, expected) in [
        (&["new", "--budget", "5"][..], "--budget"),
        (&["new", "--expires", "soon"], "--expires"),
        (&["new", "--rpm", "many"], "--rpm"),
        (&["new", "--servces", "openai"], "--servces"),
        (&["new", "--browser"], "--origins"),
        (&["new", "--browser", "--origin", "https://a.example", "--expires", "2h"], "--expires"),
        (&["new", "stray"], "stray"),
        (&["make"], "usage:"),
    ] {
        let output = twinlane_token(words, &vars);
        let (out, wrong) = told(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(64), ""), "{words:?}");
        assert!(wrong.contains(expected), "{words:?}: {wrong}");
    }
    let short = told(&twinlane_token(&["new"], &[("GATEWAY_SECRET", "short")])).1;
    assert!(short.contains("32 characters"), "{short}");
}

#[test]
fn a_token_is_looked_into_and_called_back() {
    let token = token(&["--name", "carol", "--rpm", "60", "--budget", "100000tokens/day"]);
    let vars = [("GATEWAY_SECRET", SECRET), ("REVOKED_TOKENS", "id-0")];
    let inspected = twinlane_token(&["inspect", &token], &vars);
    let facts: Value = serde_json::from_str(&told(&inspected).0).unwrap();
    assert!(inspected.status.success());
    assert_eq!(
        (&facts["name"], &facts["rpm"], &facts["budget"]),
        (&"carol".into(), &60.into(), &"100000tokens/day".into())
    );
    let (line, _) = told(&twinlane_token(&["revoke-line", &token, "id-9"], &vars));
    let id = facts["id"].as_str().unwrap();
    for part in ["REVOKED_TOKENS=", id, "id-0", "id-9"] {
        assert!(line.contains(part), "{line}");
    }
    let revoked = line.trim_start_matches("REVOKED_TOKENS=");
    let inspected = twinlane_token(&["inspect", &token], &[vars[0], ("REVOKED_TOKENS", revoked)]);
    assert_eq!((inspected.status.code(), told(&inspected).1.contains("revoked")), (Some(1), true));
    assert_eq!(twinlane_token(&["inspect", "sk-other"], &vars).status.code(), Some(1));
}

/// An official SDK has one setting for its key, and that is where a token goes.
#[tokio::test]
async fn openai_s_sdk_takes_a_token_as_its_key() {
    let python = std::env::var_os("TWINLANE_PYTHON").expect("TWINLANE_PYTHON is not set: run ./scripts/test");
    let gateway = Twinlane::start(&[
        ("DEMO", "true"),
        ("AUTH_TOKEN", "tok-1"),
        ("GATEWAY_SECRET", SECRET),
        ("KEEP_ALIVE_AFTER", "400"),
    ])
    .await;
    let mut script = tokio::process::Command::new(python);
    script.arg(root().join("tests/sdk/openai_python.py")).arg(gateway.url());
    script.env("TWINLANE_SILENCE_MS", "1500").env("TWINLANE_TOKEN", token(&["--services", "demo"]));
    let output = script.kill_on_drop(true).output().await.expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    eventually("a call is logged", || gateway.process.printed().contains(" out: 200")).await;
}
