//! The client: a closed loop over kept connections that times every call, and every event of a stream.
//!
//! `load URL [--connections 1] [--seconds 3] [--calls N] [--rate N] [--stream] [--padding 0] [--spread-ms 0]` prints one
//! line of JSON. It ends after that many seconds or calls, whichever comes first, starts its connections spread over the
//! given time, and with a rate begins no more calls a second than that, all connections together. A body has so many
//! bytes more than its usual kilobyte. A path that ends with `/messages` is asked in Anthropic's words.

mod figures;
mod said;
mod tally;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use said::{HEADERS, TOKEN};
use tally::{Reading, Tally};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A call that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be done, shared by all connections.
struct Plan {
    url: Uri,
    connections: u32,
    seconds: f64,
    stream: bool,
    padding: usize,
    spread: Duration,
    /// Between the beginnings of two calls of a connection.
    pause: Duration,
    calls_left: AtomicU64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let plan = Arc::new(Plan::of(std::env::args().skip(1))?);
    let begun = Instant::now();
    let until = begun + Duration::from_secs_f64(plan.seconds);
    let mut connections = JoinSet::new();
    for index in 0..plan.connections {
        connections.spawn(connection(Arc::clone(&plan), index, until));
    }
    let mut tally = Tally::default();
    while let Some(joined) = connections.join_next().await {
        tally.add(joined??);
    }
    writeln!(std::io::stdout(), "{}", tally.json(begun.elapsed()))?;
    Ok(())
}

/// One connection's calls, one after the other. A call that fails ends it.
async fn connection(plan: Arc<Plan>, index: u32, until: Instant) -> Result<Tally, Error> {
    sleep(plan.spread * index / plan.connections).await;
    let mut sender = connect(&plan.url).await?;
    let request = plan.request()?;
    let (mut tally, mut due) = (Tally::default(), Instant::now());
    while Instant::now() < until && plan.one_more() {
        if !plan.pause.is_zero() {
            sleep_until(due.into()).await;
            due += plan.pause;
        }
        match timeout(PATIENCE, call(&mut sender, request.clone(), plan.stream)).await {
            Ok(Ok(reading)) => tally.count(reading),
            Ok(Err(_)) | Err(_) => {
                tally.failed += 1;
                break;
            }
        }
    }
    Ok(tally)
}

async fn connect(url: &Uri) -> Result<SendRequest<Full<Bytes>>, Error> {
    let authority = url.authority().ok_or("the URL has no host")?;
    let stream = TcpStream::connect(authority.as_str()).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn call(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
    stream: bool,
) -> Result<Reading, Error> {
    sender.ready().await?;
    let mut reading = Reading::begin();
    let reply = sender.send_request(request).await?;
    if reply.status() != StatusCode::OK {
        return Err(reply.status().as_str().into());
    }
    let mut body = reply.into_body();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            reading.data(&data, stream);
        }
    }
    if reading.end(stream) { Ok(reading) } else { Err("the reply was cut short".into()) }
}

impl Plan {
    fn of(arguments: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut plan = Self {
            url: Uri::default(),
            connections: 1,
            seconds: 3.0,
            stream: false,
            padding: 0,
            spread: Duration::ZERO,
            pause: Duration::ZERO,
            calls_left: AtomicU64::new(u64::MAX),
        };
        let (mut arguments, mut rate) = (arguments, None::<f64>);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--connections" => plan.connections = value()?.parse()?,
                "--seconds" => plan.seconds = value()?.parse()?,
                "--calls" => plan.calls_left = AtomicU64::new(value()?.parse()?),
                "--padding" => plan.padding = value()?.parse()?,
                "--spread-ms" => plan.spread = Duration::from_millis(value()?.parse()?),
                "--rate" => rate = Some(value()?.parse()?),
                "--stream" => plan.stream = true,
                url => plan.url = url.parse()?,
            }
        }
        if let Some(rate) = rate {
            plan.pause = Duration::try_from_secs_f64(f64::from(plan.connections) / rate)?;
        }
        Ok(plan)
    }

    /// Takes a call off those that are left.
    fn one_more(&self) -> bool {
        self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, Error> {
        let authority = self.url.authority().ok_or("the URL has no host")?.as_str();
        let target = self.url.path_and_query().map_or("/", |target| target.as_str());
        let mut request = Request::post(target).header(HOST, authority);
        for (name, value) in HEADERS {
            request = request.header(name, value);
        }
        let request = request.header(AUTHORIZATION, format!("Bearer {TOKEN}"));
        Ok(request.body(Full::from(said::body(self.url.path(), self.stream, self.padding)))?)
    }
}
