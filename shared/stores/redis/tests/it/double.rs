//! Upstash's REST in front of a real server: a command's words in, its result out, in Upstash's shapes.

use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use twinlane_store::Unavailable;
use twinlane_store_redis::Http;

use crate::server::Server;

pub(crate) const TOKEN: &str = "a-token";

pub(crate) struct Double {
    port: u16,
}

impl Double {
    pub(crate) async fn start(server: &Server) -> Self {
        let redis = redis::Client::open(server.url()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let redis = redis.clone();
                let service = service_fn(move |request| answer(request, redis.clone()));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

async fn answer(
    request: Request<Incoming>,
    redis: redis::Client,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    if request.headers()[AUTHORIZATION] != format!("Bearer {TOKEN}") {
        return Ok(said(
            StatusCode::UNAUTHORIZED,
            &json!({ "error": "WRONGPASS invalid or missing auth token" }),
        ));
    }
    let body = request.into_body().collect().await?.to_bytes();
    let words: Vec<String> = serde_json::from_slice(&body).unwrap();
    Ok(match run(&words, &redis).await {
        Ok(value) => said(StatusCode::OK, &json!({ "result": to_json(value) })),
        Err(error) => {
            let text = format!("{} {}", error.code().unwrap_or("ERR"), error.detail().unwrap_or_default());
            said(StatusCode::BAD_REQUEST, &json!({ "error": text }))
        }
    })
}

async fn run(words: &[String], redis: &redis::Client) -> redis::RedisResult<redis::Value> {
    let mut connection = redis.get_multiplexed_async_connection().await?;
    redis::cmd(&words[0]).arg(&words[1..]).query_async(&mut connection).await
}

fn said(status: StatusCode, json: &Value) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::from(json.to_string())).unwrap()
}

/// As Upstash does without `Upstash-Encoding`: what is no text comes out spoilt.
fn to_json(value: redis::Value) -> Value {
    match value {
        redis::Value::Int(number) => number.into(),
        redis::Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into(),
        redis::Value::Array(list) => list.into_iter().map(to_json).collect(),
        _ => Value::Null,
    }
}

/// The client a door would lend.
pub(crate) fn http() -> Http {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    Arc::new(move |request| {
        let client = client.clone();
        Box::pin(async move {
            let lost = |error: &dyn std::fmt::Display| Unavailable(error.to_string());
            let reply = client.request(request.map(Full::new)).await.map_err(|error| lost(&error))?;
            let (head, body) = reply.into_parts();
            let body = body.collect().await.map_err(|error| lost(&error))?.to_bytes();
            Ok(Response::from_parts(head, body))
        })
    })
}
