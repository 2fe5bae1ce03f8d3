//! When there is no room for another connection, its client is told so, and the others notice nothing.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use twinlane_tests::{Twinlane, eventually, raw};

use crate::bounds::{connections, heard};
use crate::world::{World, pause};

/// A request for a stream that goes on, as bytes.
fn endless() -> String {
    let body = crate::world::chat(true).to_string();
    format!(
        "POST /gateway/p/v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         x-demo-chunks: 100000\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn asked(gateway: &Twinlane, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    raw::exchange(gateway.address, request.as_bytes()).await
}

/// Whether an answer tells its client to come back in a second.
fn is_refusal(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 503 ")
        && answer.contains("retry-after: 1\r\n")
        && answer.contains("connection: close\r\n")
        && answer.contains("\"overloaded\"")
}

#[tokio::test]
async fn a_connection_too_many_is_told_to_come_back_and_may() {
    let world = World::with(&[("MAX_CONNECTIONS", "4")], &json!({})).await;
    let mut held = connections(&world.gateway, 4, &endless()).await;
    for stream in &mut held {
        assert!(heard(stream).await.starts_with("HTTP/1.1 200 "));
    }
    for path in ["/gateway/p/v1/models", "/", "/gateway/doctor"] {
        let answer = asked(&world.gateway, path).await;
        assert!(is_refusal(&answer), "{path}: {answer}");
    }
    let answer = asked(&world.gateway, "/v1/messages").await;
    assert!(answer.contains("\"type\":\"overloaded_error\""), "in Anthropic's words: {answer}");
    assert!(asked(&world.gateway, "/health").await.starts_with("HTTP/1.1 200 "), "busy is not dead");
    for stream in &mut held {
        assert!(heard(stream).await.contains("data: {"), "the others go on");
    }
    drop(held.pop());
    let mut answer = String::new();
    for _ in 0..200 {
        answer = asked(&world.gateway, "/gateway/p/v1/models").await;
        if !is_refusal(&answer) {
            break;
        }
        pause(50).await;
    }
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_client_without_a_place_is_told_whatever_it_does() {
    let world = World::with(&[("MAX_CONNECTIONS", "1")], &json!({})).await;
    let mut held = connections(&world.gateway, 1, &endless()).await;
    assert!(heard(&mut held[0]).await.starts_with("HTTP/1.1 200 "));
    let size = 8_000_000;
    let mut upload =
        format!("POST /gateway/p/echo HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n\r\n").into_bytes();
    upload.resize(upload.len() + size, b'x');
    for sends in [b"".as_slice(), b"GET /half-a-head", &upload] {
        let answer = raw::exchange(world.gateway.address, sends).await;
        assert!(is_refusal(&answer), "{} bytes: {answer}", sends.len());
    }
    let mut silent = connections(&world.gateway, 100, "").await;
    for stream in &mut silent {
        let answer = raw::until_closed(stream).await;
        assert!(is_refusal(&answer), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_is_not_kept_where_room_is_scarce() {
    let world = World::with(&[("MAX_CONNECTIONS", "2")], &json!({})).await;
    let request = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut first = connections(&world.gateway, 1, request).await;
    assert!(!heard(&mut first[0]).await.contains("connection: close"));
    let mut second = connections(&world.gateway, 1, request).await;
    let answer = raw::until_closed(&mut second[0]).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"), "{answer}");
}

/// A gateway that may have no more than so many descriptors from its start.
async fn limited(world: &World, descriptors: usize) -> Twinlane {
    let script = format!("ulimit -n {descriptors} && exec \"$0\"");
    let file = twinlane_tests::process::program("twinlane");
    let config = crate::world::proxy_config(&world.provider, &json!({}));
    let vars = [("PORT", "0"), ("DEMO", "false"), ("STORE", "memory"), ("PROXY_CONFIG", config.as_str())];
    let process = twinlane_tests::Program::start_file(
        "/bin/sh".as_ref(),
        &["-c", &script, file.to_str().unwrap()],
        &vars,
        &std::env::temp_dir(),
    );
    let listens = || {
        let printed = process.printed();
        let (_, rest) = printed.split_once("listens on http://")?;
        rest.lines().next()?.trim().parse().ok()
    };
    eventually("the gateway listens", || listens().is_some()).await;
    let address = listens().unwrap();
    Twinlane { process, address, client: twinlane_tests::Client::to(address) }
}

#[tokio::test]
async fn a_process_with_few_descriptors_serves_few_and_refuses_the_rest() {
    let world = World::new().await;
    let gateway = limited(&world, 64).await;
    let mut held = connections(&gateway, 100, &endless()).await;
    let mut answers = Vec::new();
    for stream in &mut held {
        answers.push(heard(stream).await);
    }
    let served = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200 ")).count();
    let refused = answers.iter().filter(|answer| is_refusal(answer)).count();
    assert!(served > 10 && served + refused == 100, "{served} served, {refused} refused: {answers:#?}");
    drop(held);
    eventually("the provider is left", || world.provider.open_connections() < 5).await;
    let answer = gateway.client.get("/gateway/p/v1/models").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// How long the gateway has computed, in hundredths of a second.
fn busy(gateway: &Twinlane) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", gateway.process.id())).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

/// Lets the gateway open nothing any more, or as much as before.
fn shut(gateway: &Twinlane, shut: bool) {
    let fds = std::fs::read_dir(format!("/proc/{}/fd", gateway.process.id())).unwrap();
    let used: Vec<u64> = fds.map(|fd| fd.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    let free = (0..).find(|fd| !used.contains(fd)).unwrap();
    let pid = rustix::process::Pid::from_raw(gateway.process.id().try_into().unwrap());
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = Some(if shut { free } else { 1000 });
    rustix::process::prlimit(pid, Resource::Nofile, Rlimit { current, maximum }).unwrap();
}

#[tokio::test]
async fn a_process_that_runs_out_of_descriptors_refuses_and_recovers() {
    let world = World::new().await;
    let request = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held = connections(&world.gateway, 1, request).await;
    assert!(heard(&mut held[0]).await.starts_with("HTTP/1.1 200 "));
    shut(&world.gateway, true);
    let before = busy(&world.gateway);
    for _ in 0..20 {
        let answer = asked(&world.gateway, "/health").await;
        assert!(is_refusal(&answer), "{answer}");
    }
    held[0].write_all(b"GET /gateway/p/v1/models HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let answer = heard(&mut held[0]).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1\r\n"), "{answer}");
    let queued = connections(&world.gateway, 1, "").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(busy(&world.gateway) - before < 50, "it computes while it waits");
    drop(queued);
    shut(&world.gateway, false);
    assert_eq!(world.chat().send().await.status, 200);
    let told = world.gateway.process.printed();
    assert_eq!(told.matches("connections cannot be accepted").count(), 1, "{told}");
}

#[tokio::test]
async fn a_head_above_the_limit_is_refused_however_it_arrives() {
    let world = World::new().await;
    let head = format!("GET /health HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(66_000));
    for cut in [0, 1, 60_000, 65_000] {
        let mut stream = TcpStream::connect(world.gateway.address).await.unwrap();
        let (first, rest) = head.split_at(cut);
        stream.write_all(first.as_bytes()).await.unwrap();
        pause(50).await;
        let _ = stream.write_all(rest.as_bytes()).await;
        let answer = heard(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "cut at {cut}: {answer}");
    }
}
