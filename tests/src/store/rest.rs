//! Upstash's REST before a real Redis: a command's words in, its result out, in Upstash's shapes.

use std::net::SocketAddr;

use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use redis::{Client, Value as Word};
use serde_json::{Value, json};

use super::Redis;
use crate::lambda::wire;

/// What it wants to be shown.
pub const TOKEN: &str = "a-token-of-the-rest-service";

/// The service.
#[derive(Debug)]
pub struct Rest {
    address: SocketAddr,
}

impl Rest {
    /// Starts one before a Redis.
    ///
    /// # Panics
    /// When it cannot be served.
    pub async fn before(redis: &Redis) -> Self {
        let client = Client::open(redis.url()).expect("a URL of Redis");
        let address = wire::serve(move |request| {
            let client = client.clone();
            async move {
                let (status, json) = answer(request, client).await;
                wire::json_answer(status, &json)
            }
        })
        .await;
        Self { address }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn answer(request: Request<Incoming>, client: Client) -> (u16, Value) {
    let shown = request.headers().get(AUTHORIZATION).and_then(|shown| shown.to_str().ok());
    if shown != Some(format!("Bearer {TOKEN}").as_str()) {
        return (401, json!({ "error": "WRONGPASS invalid or missing auth token" }));
    }
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let words: Vec<String> = serde_json::from_slice(&body).expect("a command's words");
    match run(&words, &client).await {
        Ok(value) => (200, json!({ "result": told(value) })),
        Err(error) => {
            let text = format!("{} {}", error.code().unwrap_or("ERR"), error.detail().unwrap_or_default());
            (400, json!({ "error": text }))
        }
    }
}

async fn run(words: &[String], client: &Client) -> redis::RedisResult<Word> {
    let mut connection = client.get_multiplexed_async_connection().await?;
    redis::cmd(&words[0]).arg(&words[1..]).query_async(&mut connection).await
}

fn told(value: Word) -> Value {
    match value {
        Word::Int(number) => number.into(),
        Word::BulkString(bytes) => String::from_utf8_lossy(&bytes).into(),
        Word::Array(list) => list.into_iter().map(told).collect(),
        _ => Value::Null,
    }
}
