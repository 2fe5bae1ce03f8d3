//! A crowd of clients, a flood of bytes: the gateway stays small, and goes on for the others.

use http_body_util::BodyExt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use twinlane_tests::{SOON, Twinlane, eventually, raw};

use crate::world::{World, pause};

/// The most that a gateway may grow by, in kilobytes.
const MOST_GROWTH: u64 = 50_000;

/// Held by a test that keeps the machine busy, so that there is one of them at a time.
pub(crate) static TURN: Mutex<()> = Mutex::const_new(());

/// A figure of the gateway's memory, in kilobytes.
fn memory(gateway: &Twinlane, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What a gateway has in memory once it has answered calls on both lanes.
async fn at_rest(world: &World) -> u64 {
    for _ in 0..3 {
        assert_eq!((world.chat().send().await.status, world.embed().send().await.status), (200, 200));
    }
    memory(&world.gateway, "VmRSS:")
}

/// Others are served, and the gateway was at no time much larger than before.
async fn is_unimpressed(world: &World, before: u64) {
    assert_eq!((world.chat().send().await.status, world.embed().send().await.status), (200, 200));
    let grown = memory(&world.gateway, "VmHWM:").saturating_sub(before);
    assert!(grown < MOST_GROWTH, "the gateway has grown by {grown} kB from {before} kB");
}

/// Lets this process hold as many sockets as a test of crowds needs; the gateways it starts inherit that.
fn many_sockets() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let enough = maximum.unwrap_or(u64::MAX).min(16_384);
    assert!(enough >= 4096, "these tests need 4096 file descriptors: ulimit -Hn allows {enough}");
    setrlimit(Resource::Nofile, Rlimit { current: Some(enough), maximum }).unwrap();
}

/// So many connections, each having sent these bytes.
pub(crate) async fn connections(gateway: &Twinlane, count: usize, sends: &str) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(sends.as_bytes()).await.unwrap();
        held.push(stream);
    }
    held
}

/// The start of what comes next.
pub(crate) async fn heard(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    let read = tokio::time::timeout(SOON, stream.read(&mut buffer)).await;
    String::from_utf8_lossy(&buffer[..read.expect("something in time").unwrap()]).into_owned()
}

#[tokio::test]
async fn five_hundred_streams_run_side_by_side() {
    let _turn = TURN.lock().await;
    many_sockets();
    let world = World::new().await;
    let before = at_rest(&world).await;
    let mut opening = JoinSet::new();
    for _ in 0..500 {
        let stream = world.stream().header("x-demo-chunks", "1000").header("x-demo-chunk-delay-ms", "500");
        opening.spawn(async { stream.open().await.into_body() });
    }
    let mut streams = opening.join_all().await;
    for stream in &mut streams {
        let event = tokio::time::timeout(SOON, stream.frame()).await.unwrap().unwrap().unwrap();
        assert!(event.data_ref().unwrap().starts_with(b"data: {"));
    }
    is_unimpressed(&world, before).await;
    drop(streams);
    eventually("no stream is left at the provider", || world.provider.open_connections() < 10).await;
}

#[tokio::test]
async fn five_hundred_half_sent_heads_are_ended_by_their_clock() {
    let _turn = TURN.lock().await;
    many_sockets();
    let world = World::with(&[("HEADER_TIMEOUT", "3000")], &json!({})).await;
    let before = at_rest(&world).await;
    let half = format!("POST /gateway/p/echo HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(2000));
    let mut held = connections(&world.gateway, 500, &half).await;
    is_unimpressed(&world, before).await;
    for stream in &mut held {
        assert!(raw::until_closed(stream).await.starts_with("HTTP/1.1 408 "));
    }
    is_unimpressed(&world, before).await;
}

/// A gateway before a provider `f` that answers every request with this head and so many times this piece; `p` is a
/// usual one. Replies may be large.
async fn flooded(head: &str, piece: Vec<u8>, times: usize) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let flood = format!("http://{}", listener.local_addr().unwrap());
    let size = piece.len() * times;
    let head = format!("HTTP/1.1 200 OK\r\n{head}content-length: {size}\r\n\r\n");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (head, piece) = (head.clone(), piece.clone());
            tokio::spawn(async move {
                heard(&mut stream).await;
                stream.write_all(head.as_bytes()).await.unwrap();
                for _ in 0..times {
                    stream.write_all(&piece).await.unwrap();
                }
                heard(&mut stream).await;
            });
        }
    });
    let provider = twinlane_demo::Demo::start().await.unwrap();
    let config = json!({ "p": { "host": provider.url() }, "f": { "host": flood } }).to_string();
    let vars = [("PROXY_CONFIG", config.as_str()), ("MAX_RESPONSE_SIZE", "300000000")];
    World { gateway: Twinlane::start(&vars).await, provider }
}

#[tokio::test]
async fn twenty_clients_that_stop_reading_hold_no_reply_in_memory() {
    let _turn = TURN.lock().await;
    let world = flooded("", vec![b'x'; 1_000_000], 100).await;
    let before = at_rest(&world).await;
    let mut held = connections(&world.gateway, 20, "GET /gateway/f/x HTTP/1.1\r\nhost: x\r\n\r\n").await;
    for stream in &mut held {
        assert!(heard(stream).await.starts_with("HTTP/1.1 200 "));
    }
    pause(1000).await;
    is_unimpressed(&world, before).await;
    let mut rest = vec![0; 50_000_000];
    let read = tokio::time::timeout(SOON, held[0].read_exact(&mut rest)).await;
    assert!(read.unwrap().is_ok() && rest.ends_with(b"xxx"), "it is there for a client that reads again");
    is_unimpressed(&world, before).await;
}

/// Two hundred million zeros, compressed.
fn bomb() -> Vec<u8> {
    let script = "head -c 200000000 /dev/zero | gzip -1";
    let made = std::process::Command::new("sh").args(["-c", script]).output().expect("gzip");
    assert!(made.status.success() && made.stdout.starts_with(&[0x1f, 0x8b]), "gzip made no bomb");
    made.stdout
}

const ZIPPED: &str = "content-type: application/json\r\ncontent-encoding: gzip\r\n";

#[tokio::test]
async fn a_compression_bomb_passes_unopened() {
    let _turn = TURN.lock().await;
    let bomb = tokio::task::spawn_blocking(bomb).await.unwrap();
    assert!(bomb.len() < 2_000_000, "{} bytes", bomb.len());
    let world = flooded(ZIPPED, bomb.clone(), 1).await;
    let before = at_rest(&world).await;
    let answer = world.gateway.client.get("/gateway/f/x").header("accept-encoding", "gzip").send().await;
    assert_eq!((answer.status, answer.header("content-encoding")), (200, "gzip"));
    assert!(answer.whole && answer.body == bomb);
    is_unimpressed(&world, before).await;
}

#[tokio::test]
async fn two_hundred_megabytes_pass_without_being_held() {
    let _turn = TURN.lock().await;
    let piece = vec![0x5a; 1_000_000];
    let world = flooded(ZIPPED, piece.clone(), 200).await;
    let before = at_rest(&world).await;
    let answer = world.gateway.client.get("/gateway/f/x").open().await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let (mut body, mut read) = (answer.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        assert_eq!(data, piece[..data.len()]);
        read += data.len();
    }
    assert_eq!(read, 200_000_000);
    is_unimpressed(&world, before).await;
}

#[tokio::test]
async fn three_hundred_hung_calls_keep_nobody_waiting() {
    let _turn = TURN.lock().await;
    many_sockets();
    let world = World::new().await;
    let before = at_rest(&world).await;
    world.provider.clear();
    let mut hung = JoinSet::new();
    for n in 0..300 {
        let call = if n % 2 == 0 { world.chat() } else { world.embed() };
        hung.spawn(call.header("x-demo-silence", "head").open());
    }
    eventually("the provider has all of them", || world.provider.calls().len() == 300).await;
    is_unimpressed(&world, before).await;
    hung.shutdown().await;
    eventually("none is left at the provider", || world.provider.open_connections() < 10).await;
}
