//! Measures spawn → first byte and the size of the functions, each beside the smallest function of the same runtime.
//!
//! `start FOLDER` expects the release programs in FOLDER and prints a table. The platforms' sides are played here, as
//! little of them as a start needs.

use std::io::{Error, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How often each program is started; the medians are told.
const ROUNDS: usize = 31;

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or_else(|| Error::other("usage: start FOLDER"))?);
    let mut out = std::io::stdout();
    writeln!(
        out,
        "| function | size MB | spawn → first byte ms, median | × the smallest |\n|---|--:|--:|--:|"
    )?;
    for (smallest, ours, measure) in [
        ("hello-vercel", ["gateway", "background"], on_vercel as fn(&Path) -> Result<Duration>),
        ("hello-lambda", ["lambda-gateway", "lambda-background"], on_lambda),
    ] {
        let names = [smallest, ours[0], ours[1]];
        let medians = interleaved(&names.map(|name| folder.join(name)), measure)?;
        for (name, median) in names.iter().zip(&medians) {
            let size = std::fs::metadata(folder.join(name))?.len();
            let (ms, ratio) = (median.as_secs_f64() * 1e3, median.as_secs_f64() / medians[0].as_secs_f64());
            writeln!(
                out,
                "| {name} | {}.{:02} | {ms:.1} | {ratio:.2} |",
                size / 1_000_000,
                size % 1_000_000 / 10_000
            )?;
        }
    }
    Ok(())
}

/// Round by round, so that what else the machine does falls on all alike.
fn interleaved(programs: &[PathBuf], measure: fn(&Path) -> Result<Duration>) -> Result<Vec<Duration>> {
    let mut taken = vec![Vec::with_capacity(ROUNDS); programs.len()];
    for _ in 0..ROUNDS {
        for (program, taken) in programs.iter().zip(&mut taken) {
            taken.push(measure(program)?);
        }
    }
    for taken in &mut taken {
        taken.sort();
    }
    Ok(taken.iter().map(|taken| taken[ROUNDS / 2]).collect())
}

/// A child that does not outlive its measurement.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &Path, vars: &[(&str, &str)]) -> Result<Started> {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(vars.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().map(Started)
}

/// Until the answer to a request that the platform passes on once the function says that it serves.
fn on_vercel(program: &Path) -> Result<Duration> {
    let path = std::env::temp_dir().join(format!("twinlane-bench-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let ipc = UnixListener::bind(&path)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let began = Instant::now();
    let vars = [("VERCEL_IPC_PATH", path.display().to_string()), ("VERCEL_DEV_PORT", port.to_string())];
    let _child = start(program, &vars.each_ref().map(|(name, value)| (*name, value.as_str())))?;
    let (mut said, _) = ipc.accept()?;
    said.read_exact(&mut [0])?;
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    stream.read_exact(&mut [0])?;
    Ok(began.elapsed())
}

/// Until the first byte of the answer to the event that the function fetches.
fn on_lambda(program: &Path) -> Result<Duration> {
    let api = TcpListener::bind("127.0.0.1:0")?;
    let address = api.local_addr()?.to_string();
    let began = Instant::now();
    let vars = [
        ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "g"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "s"),
    ];
    let _child = start(program, &vars)?;
    let (answered, first_byte) = mpsc::channel();
    thread::spawn(move || {
        for stream in api.incoming().map_while(Result::ok) {
            let answered = answered.clone();
            thread::spawn(move || converse(stream, &answered));
        }
    });
    let patience = Duration::from_secs(20);
    first_byte.recv_timeout(patience).map_err(|_| Error::other("the function did not answer"))?;
    Ok(began.elapsed())
}

/// One connection of the function to its Runtime API, until it has answered.
fn converse(mut stream: TcpStream, answered: &mpsc::Sender<()>) -> Result<()> {
    while let Some(head) = head(&mut stream)? {
        if head.starts_with("POST") {
            stream.read_exact(&mut [0])?;
            let _ = answered.send(());
            return Ok(());
        }
        stream.write_all(next().as_bytes())?;
    }
    Ok(())
}

/// A request's head; none where the connection ends.
fn head(stream: &mut TcpStream) -> Result<Option<String>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

/// The Runtime API's answer with an event.
fn next() -> String {
    let event = r#"{"version":"2.0","routeKey":"$default","rawPath":"/health","rawQueryString":"","headers":{},"requestContext":{"http":{"method":"GET","path":"/health","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"x"},"accountId":"a","apiId":"a","domainName":"d","domainPrefix":"d","requestId":"r","routeKey":"$default","stage":"$default","time":"t","timeEpoch":1},"isBase64Encoded":false}"#;
    format!(
        "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: i\r\nlambda-runtime-deadline-ms: 9999999999999\r\n\
         lambda-runtime-invoked-function-arn: arn\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{event}",
        event.len()
    )
}
