//! What is kept beyond a process and between several, in each store, and what is left when one is not there.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use twinlane_demo::Demo;
use twinlane_tests::client::Sending;
use twinlane_tests::lambda::url;
use twinlane_tests::store::{Database, Redis, Rest, TOKEN, folder};
use twinlane_tests::vercel::Function;
use twinlane_tests::{Client, Program, SOON, Twinlane, eventually, lambda};

use crate::aws_deploy::LONG;
use crate::tokens::example::sign;
use crate::world::{chat, proxy_config};

const SECRET: &str = "a-secret-of-the-gateway-of-40-characters";
const ADMIN: &str = "an-administrator-s-token";
const COMMON: [(&str, &str); 3] =
    [("AUTH_TOKEN", "tok-1"), ("GATEWAY_SECRET", SECRET), ("ADMIN_TOKEN", ADMIN)];

fn bearer(call: Sending, token: &str) -> Sending {
    call.header("authorization", &format!("Bearer {token}"))
}

/// A token that an administrator issues, with its id.
async fn issued(post: impl Fn(&str) -> Sending) -> (String, String) {
    let order = json!({ "name": "alice", "services": ["p"], "expires": "1h" });
    let answer = bearer(post("/admin/tokens").json(&order), ADMIN).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let facts = answer.json();
    assert_eq!(facts["listed"], true);
    (facts["token"].as_str().unwrap().to_owned(), facts["id"].as_str().unwrap().to_owned())
}

async fn revoked(client: &Client, id: &str) -> (u16, Value) {
    let answer = client.call(&http::Method::DELETE, &format!("/admin/tokens/{id}"));
    let answer = bearer(answer, ADMIN).send().await;
    (answer.status, answer.json()["holds"].clone())
}

async fn listed(client: &Client) -> Vec<Value> {
    let answer = bearer(client.get("/admin/tokens"), ADMIN).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["tokens"].as_array().unwrap().clone()
}

/// The status and the error's code of a call with a token.
async fn called(client: &Client, token: &str) -> (u16, String) {
    let call = bearer(client.post("/gateway/p/v1/chat/completions").json(&chat(false)), token);
    let answer = call.send().await;
    let code = if answer.status == 200 { Value::Null } else { answer.json()["error"]["code"].clone() };
    (answer.status, code.as_str().unwrap_or_default().to_owned())
}

fn refused() -> (u16, String) {
    (401, "token_revoked".to_owned())
}

async fn found(client: &Client) -> (String, String) {
    let report = bearer(client.get("/gateway/doctor"), "tok-1").send().await.json();
    let finding = report["findings"].as_array().unwrap().iter().find(|finding| finding["area"] == "store");
    let text = |name: &str| finding.unwrap()[name].as_str().unwrap().to_owned();
    (text("weight"), text("told"))
}

/// The status at which the record of a call is shown.
async fn logged(client: &Client, id: &str) -> u16 {
    bearer(client.get(&format!("/admin/calls/{id}")), ADMIN).send().await.status
}

/// A stream's call, by its id, once it has been heard to its end.
async fn streamed(call: Sending) -> String {
    let answer = bearer(call.json(&chat(true)), "tok-1").send().await;
    assert!(answer.status == 200 && answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
    answer.header("x-gateway-request-id").to_owned()
}

/// Waits until a gateway has found its store again. After a failed attempt it makes none for a moment.
async fn is_well(client: &Client) {
    let well = async {
        while found(client).await.0 != "good" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, well).await.expect("the store is found again");
}

/// A provider, and the settings of gateways before it.
struct Provided {
    _provider: Demo,
    config: String,
}

impl Provided {
    async fn start() -> Self {
        let provider = Demo::start().await.unwrap();
        Self { config: proxy_config(&provider, &json!({})), _provider: provider }
    }

    fn vars<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        [&COMMON[..], &[("PROXY_CONFIG", &self.config)], more].concat()
    }

    async fn gateway(&self, store: &str) -> Twinlane {
        Twinlane::start(&self.vars(&[("STORE", store)])).await
    }
}

#[tokio::test]
async fn what_a_file_keeps_outlives_the_process() {
    let (provided, folder) = (Provided::start().await, folder("sqlite"));
    let store = format!("sqlite:{}", folder.join("kept.db").display());
    let mut gateway = provided.gateway(&store).await;
    let (token, id) = issued(|path| gateway.client.post(path)).await;
    let (other, _) = issued(|path| gateway.client.post(path)).await;
    assert_eq!(called(&gateway.client, &token).await.0, 200);
    assert_eq!(revoked(&gateway.client, &id).await, (200, "every instance".into()));
    assert_eq!(called(&gateway.client, &token).await, refused());
    gateway.process.kill().await;
    let gateway = provided.gateway(&store).await;
    assert_eq!(called(&gateway.client, &token).await, refused());
    assert_eq!(called(&gateway.client, &other).await.0, 200);
    let listed = listed(&gateway.client).await;
    let flags: Vec<&Value> = listed.iter().map(|token| &token["revoked"]).collect();
    assert_eq!(flags, [&json!(true), &json!(false)], "{listed:?}");
    assert_eq!((&listed[0]["id"], &listed[0]["name"]), (&json!(id), &json!("alice")));
    assert!(!format!("{listed:?}").contains(&token));
    let (weight, told) = found(&gateway.client).await;
    assert!(weight == "good" && told.starts_with("sqlite "), "{told}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_laptop_keeps_a_file_of_its_own_where_it_is_started_and_only_when_it_serves() {
    let folder = folder("laptop");
    let file = folder.join("twinlane.db");
    for words in [&["token", "new"][..], &["health"], &["--version"]] {
        let vars = [("GATEWAY_SECRET", SECRET), ("PORT", "1")];
        Program::start("twinlane", words, &vars, &folder).exit_code().await;
    }
    assert!(!file.exists());
    let vars = [("PORT", "0"), ("DEMO", "false")];
    let mut process = Program::start("twinlane", &[], &vars, &folder);
    eventually("it says where it keeps things", || process.printed().contains("store     twinlane.db")).await;
    assert!(only_its_owner_s(&file));
    process.terminate();
    assert_eq!(process.exit_code().await, Some(0));
    std::fs::remove_dir_all(folder).unwrap();
}

fn only_its_owner_s(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).unwrap().permissions().mode() & 0o077 == 0
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_ends_the_start_in_words() {
    let folder = folder("spoilt");
    std::fs::write(folder.join("twinlane.db"), "no database, and long enough to be looked at twice").unwrap();
    for (store, code, word) in [
        ("", 1, "not a SQLite database"),
        ("sqlite:nowhere/t.db", 1, "does its folder exist"),
        ("sqlite:", 64, "STORE: is neither memory"),
        ("redis://:s3cret@host/three", 64, "STORE: it is not a URL"),
    ] {
        let vars = [("PORT", "0"), ("DEMO", "false"), ("STORE", store)];
        let mut process = Program::start("twinlane", &[], &vars, &folder);
        assert_eq!(process.exit_code().await, Some(code), "{store}");
        let printed = process.printed();
        assert!(printed.contains(word) && !printed.contains("s3cret"), "{store}: {printed}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn gateways_that_share_a_redis_know_what_each_has_been_told() {
    let (provided, redis) = (Provided::start().await, Redis::start().await);
    let keys = ("REQUEST_KEYS", "backend:a-client-s-secret-for-requests");
    let url = redis.url();
    let vars = provided.vars(&[("STORE", &url), keys]);
    let (one, two) = (Twinlane::start(&vars).await, Twinlane::start(&vars).await);
    let (token, id) = issued(|path| one.client.post(path)).await;
    assert_eq!(revoked(&one.client, &id).await, (200, "every instance".into()));
    assert_eq!(called(&two.client, &token).await, refused());
    assert_eq!(listed(&two.client).await[0]["revoked"], true);
    let (target, body) = ("/gateway/p/v1/chat/completions", chat(false).to_string());
    let signed = sign("backend", "a-client-s-secret-for-requests", "POST", target, &body);
    let send =
        |client: &Client| client.post(target).header("authorization", &signed).body(body.clone()).send();
    assert_eq!(send(&one.client).await.status, 200);
    let replayed = send(&two.client).await;
    assert_eq!((replayed.status, &replayed.json()["error"]["code"]), (401, &"signature_replayed".into()));
    let (weight, told) = found(&one.client).await;
    assert!(weight == "good" && told.starts_with("redis (shared) answers"), "{told}");
    assert_eq!(one.client.get("/limits").send().await.json()["store"], "redis");
}

#[tokio::test]
async fn without_its_redis_a_gateway_serves_and_says_so_and_finds_it_again() {
    let (provided, mut redis) = (Provided::start().await, Redis::start().await);
    let gateway = provided.gateway(&redis.url()).await;
    let (token, id) = issued(|path| gateway.client.post(path)).await;
    redis.kill().await;
    assert_eq!(called(&gateway.client, &token).await.0, 200);
    assert_eq!(called(&gateway.client, "tok-1").await.0, 200);
    assert_eq!(revoked(&gateway.client, &id).await.0, 503);
    let (weight, told) = found(&gateway.client).await;
    assert!(weight == "wrong" && told.contains("redis does not answer"), "{told}");
    redis.start_again().await;
    is_well(&gateway.client).await;
    assert_eq!(revoked(&gateway.client, &id).await, (200, "every instance".into()));
    assert_eq!(called(&gateway.client, &token).await, refused());
}

#[tokio::test]
async fn a_process_that_is_asked_to_end_keeps_what_its_calls_came_to() {
    let (provided, redis) = (Provided::start().await, Redis::start().await);
    let url = redis.url();
    let (mut one, two) = (provided.gateway(&url).await, provided.gateway(&url).await);
    let id = streamed(one.client.post("/gateway/p/v1/chat/completions")).await;
    one.process.terminate();
    assert_eq!(one.process.exit_code().await, Some(0));
    assert_eq!(logged(&two.client, &id).await, 200);
}

#[tokio::test]
async fn a_gateway_starts_before_its_redis_does() {
    let (provided, mut redis) = (Provided::start().await, Redis::start().await);
    redis.kill().await;
    let gateway = provided.gateway(&redis.url()).await;
    assert_eq!(called(&gateway.client, "tok-1").await.0, 200);
    redis.start_again().await;
    is_well(&gateway.client).await;
    let (token, id) = issued(|path| gateway.client.post(path)).await;
    assert_eq!(revoked(&gateway.client, &id).await.0, 200);
    assert_eq!(called(&gateway.client, &token).await, refused());
}

#[tokio::test]
async fn functions_on_vercel_share_what_upstash_keeps_for_them() {
    let (provided, redis) = (Provided::start().await, Redis::start().await);
    let url = Rest::before(&redis).await.url();
    let rest = [("KV_REST_API_URL", url.as_str()), ("KV_REST_API_TOKEN", TOKEN)];
    let vars = provided.vars(&rest);
    let (one, two) = (Function::start("gateway", &vars).await, Function::start("gateway", &vars).await);
    let (token, id) = issued(|path| one.invoke(|client| client.post(path)).1).await;
    let (number, call) =
        one.invoke(|client| client.call(&http::Method::DELETE, &format!("/admin/tokens/{id}")));
    assert_eq!(bearer(call, ADMIN).send().await.status, 200);
    eventually("the call's end is told", || one.has_ended(number)).await;
    assert_eq!(called(&Client::to(two.address), &token).await, refused());
    let (weight, told) = found(&Client::to(two.address)).await;
    assert!(weight == "good" && told.starts_with("redis (shared) answers"), "{told}");
    let (number, call) = one.invoke(|client| client.post("/gateway/p/v1/chat/completions"));
    let id = streamed(call).await;
    eventually("the call's end is told", || one.has_ended(number)).await;
    assert_eq!(logged(&Client::to(two.address), &id).await, 200, "the platform may freeze it from then on");
    // One that is shown another token serves all the same.
    let wrong = [("KV_REST_API_URL", url.as_str()), ("KV_REST_API_TOKEN", "another")];
    let three = Function::start("gateway", &provided.vars(&wrong)).await;
    assert_eq!(called(&Client::to(three.address), "tok-1").await.0, 200);
    let (weight, told) = found(&Client::to(three.address)).await;
    assert!(weight == "wrong" && told.contains("WRONGPASS") && !told.contains("another"), "{told}");
}

#[tokio::test]
async fn functions_on_lambda_share_the_template_s_table() {
    let (provided, database) = (Provided::start().await, Database::with_table("twinlane").await);
    let endpoint = database.url();
    let table = [
        ("TABLE_NAME", "twinlane"),
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret/access+key"),
        ("AWS_SESSION_TOKEN", "session/token=="),
    ];
    let vars = provided.vars(&table);
    let mut one = lambda::Function::start("lambda-gateway", &vars).await;
    let client = url::open(&one, LONG).await;
    let (token, id) = issued(|path| client.post(path)).await;
    assert_eq!(called(&client, &token).await.0, 200);
    assert_eq!(revoked(&client, &id).await, (200, "every instance".into()));
    let call = streamed(client.post("/gateway/p/v1/chat/completions")).await;
    // From the end of the answer on, Lambda may freeze it.
    one.crash().await;
    let two = lambda::Function::start("lambda-gateway", &vars).await;
    let client = url::open(&two, LONG).await;
    assert_eq!(called(&client, &token).await, refused());
    assert_eq!(listed(&client).await[0]["id"], id);
    let (weight, told) = found(&client).await;
    assert!(weight == "good" && told.starts_with("dynamodb (shared) answers"), "{told}");
    assert_eq!(logged(&client, &call).await, 200);
    let items = database.items("twinlane").await.to_string();
    assert!(items.contains(&id) && !items.contains(&token), "{items}");
}
