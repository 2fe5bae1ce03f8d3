//! The programs of this project, as processes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::{Client, SOON, eventually};

/// The path of a program of this project, built from what is there now.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).join(name)
}

/// The root of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent of tests/")
}

/// `cargo test` builds no programs of other packages, and a stale one would prove nothing.
fn build() -> PathBuf {
    let tests = std::env::current_exe().expect("a path of this test");
    let folder = tests.parent().and_then(Path::parent).expect("target/{profile}/deps").to_owned();
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.current_dir(root()).args([
        "build",
        "--quiet",
        "-p",
        "twinlane-local",
        "-p",
        "vercel-functions",
        "-p",
        "twinlane-lambda",
    ]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo").success(), "the programs under test cannot be built");
    folder
}

/// A running program, with what it printed. It is killed when it is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    printed: Arc<Mutex<String>>,
}

impl Program {
    /// Starts a program of this project with these variables, and no others but `PATH`.
    #[must_use]
    pub fn start(name: &str, arguments: &[&str], vars: &[(&str, &str)], folder: &Path) -> Self {
        Self::start_file(&program(name), arguments, vars, folder)
    }

    /// The same for an executable that something else has built.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_file(file: &Path, arguments: &[&str], vars: &[(&str, &str)], folder: &Path) -> Self {
        let mut command = Command::new(file);
        command.args(arguments).env_clear().current_dir(folder).kill_on_drop(true);
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path))).envs(vars.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{} does not start: {error}", file.display()));
        let printed = Arc::new(Mutex::new(String::new()));
        keep(child.stdout.take(), &printed);
        keep(child.stderr.take(), &printed);
        Self { child, printed }
    }

    /// What it has printed so far, standard output and error together.
    #[must_use]
    pub fn printed(&self) -> String {
        self.printed.lock().expect("no poison").clone()
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id().expect("a running process")
    }

    /// Asks it to end, as a platform does.
    ///
    /// # Panics
    /// When it has ended.
    pub fn terminate(&self) {
        let status = std::process::Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        assert!(status.expect("kill").success());
    }

    /// Ends it at once, as a crash does.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("a killed process");
    }

    /// Waits for its end and returns its exit code.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn exit_code(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(SOON, self.child.wait()).await.expect("an end in time");
        // The pipes are read by tasks of their own; what was printed last is still on its way.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        ended.expect("an exit status").code()
    }
}

fn keep(pipe: Option<impl AsyncRead + Send + Unpin + 'static>, printed: &Arc<Mutex<String>>) {
    let (Some(pipe), printed) = (pipe, Arc::clone(printed)) else { return };
    tokio::spawn(async move {
        let mut lines = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut printed = printed.lock().expect("no poison");
            printed.push_str(&line);
            printed.push('\n');
        }
    });
}

/// The local door as a process.
#[derive(Debug)]
pub struct Twinlane {
    /// The process.
    pub process: Program,
    /// Where it listens.
    pub address: SocketAddr,
    /// A client of it.
    pub client: Client,
}

impl Twinlane {
    /// Starts the gateway on a free port, without the demo provider unless `DEMO` says so, and with nothing kept beyond
    /// the process unless `STORE` does.
    pub async fn start(vars: &[(&str, &str)]) -> Self {
        Self::start_as(&[], vars).await
    }

    /// Starts only the background lane.
    pub async fn start_background(vars: &[(&str, &str)]) -> Self {
        Self::start_as(&["background"], vars).await
    }

    async fn start_as(arguments: &[&str], vars: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir();
        let vars = [&[("PORT", "0"), ("DEMO", "false"), ("STORE", "memory")], vars].concat();
        let process = Program::start("twinlane", arguments, &vars, &folder);
        eventually("the gateway listens", || listens_on(&process.printed()).is_some()).await;
        let address = listens_on(&process.printed()).expect("an address");
        Self { process, address, client: Client::to(address) }
    }

    /// The base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The line that was logged when a call ended, once it is there.
    pub async fn logged_end(&self, id: &str) -> String {
        let wanted = format!("call {id} out:");
        let find = || self.process.printed().lines().find(|line| line.contains(&wanted)).map(str::to_owned);
        eventually(&wanted, || find().is_some()).await;
        find().unwrap_or_default()
    }
}

fn listens_on(printed: &str) -> Option<SocketAddr> {
    let (_, rest) = printed.split_once("listens on http://")?;
    rest.lines().next()?.trim().parse().ok()
}
