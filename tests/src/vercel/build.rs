//! Vercel's own build tool, run over what a deployment would be given: the files git knows or would take, and no other.
//!
//! The tool and its working folder are in `TWINLANE_VERCEL_DIR`, which `scripts/test` sets. The working folder keeps its
//! `target`, where the tool insists on having it, so that a second build takes seconds.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::process::root;

/// What the tool makes of the project: `.vercel/output`. It is built once for all tests of a run.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn output() -> &'static Path {
    static BUILT: OnceLock<Result<(PathBuf, File), String>> = OnceLock::new();
    match BUILT.get_or_init(build) {
        Ok((output, _)) => output,
        Err(said) => panic!("vercel build fails:\n{said}"),
    }
}

/// The lock is held until the tests have ended: another run of them would build into the same folder.
fn build() -> Result<(PathBuf, File), String> {
    let tool = std::env::var_os("TWINLANE_VERCEL_DIR");
    let tool = PathBuf::from(tool.expect("TWINLANE_VERCEL_DIR is not set: run ./scripts/test"));
    let lock = File::create(tool.join("project.lock")).expect("a lock file");
    lock.lock().expect("the lock");
    let project = tool.join("project");
    copy_the_project_to(&project);
    run(&tool, &project)?;
    Ok((project.join(".vercel/output"), lock))
}

/// Leaves files alone that are as they should be, so that cargo sees what has changed.
fn copy_the_project_to(project: &Path) {
    let mut wanted = files_of_the_project();
    for file in &wanted {
        update(&project.join(file), &fs::read(root().join(file)).expect("a file of the project"));
    }
    let link = r#"{"projectId":"prj_offline","orgId":"team_offline","settings":{"framework":null}}"#;
    update(&project.join(".vercel/project.json"), link.as_bytes());
    wanted.insert(".vercel/project.json".into());
    remove_others(project, Path::new(""), &wanted);
}

fn files_of_the_project() -> HashSet<PathBuf> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = Command::new("git").current_dir(root()).args(arguments).output().expect("git");
    assert!(listed.status.success(), "git ls-files fails");
    let names = String::from_utf8(listed.stdout).expect("names of files in UTF-8");
    let files = names.split_terminator('\0').map(PathBuf::from);
    files.filter(|file| root().join(file).is_file()).collect()
}

fn update(file: &Path, content: &[u8]) {
    if fs::read(file).is_ok_and(|there| there == content) {
        return;
    }
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder that can be made");
    fs::write(file, content).expect("a file that can be written");
}

/// Removes what an earlier build was given and this one is not.
fn remove_others(project: &Path, folder: &Path, wanted: &HashSet<PathBuf>) {
    for entry in fs::read_dir(project.join(folder)).expect("a folder") {
        let path = folder.join(entry.expect("an entry").file_name());
        match project.join(&path).is_dir() {
            true if path == Path::new("target") || path == Path::new(".vercel/output") => {}
            true => remove_others(project, &path, wanted),
            false if wanted.contains(&path) => {}
            false => fs::remove_file(project.join(path)).expect("a file that can be removed"),
        }
    }
}

/// `VERCEL_BUILD_IMAGE` is how the tool knows the platform's own build from one on a laptop.
fn run(tool: &Path, project: &Path) -> Result<(), String> {
    let mut command = Command::new("node");
    command.arg(tool.join("node_modules/vercel/dist/vc.js")).current_dir(project);
    command
        .args(["build", "--yes", "--standalone", "--token", "offline", "--global-config"])
        .arg(tool.join("config"));
    command.env("VERCEL_BUILD_IMAGE", "ci").env("VERCEL_TELEMETRY_DISABLED", "1");
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_these_tests(name)) {
        command.env_remove(name);
    }
    let ran = command.output().expect("node");
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    ran.status.success().then_some(()).ok_or(said)
}

/// Whether a variable is what cargo told the tests about themselves, which would have the build begin anew each time.
fn is_of_these_tests(name: &OsString) -> bool {
    let ours = [
        "CARGO_BIN_",
        "CARGO_CRATE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_TARGET_",
        "LD_LIBRARY_PATH",
        "RUSTFLAGS",
    ];
    name.to_str().is_some_and(|name| ours.iter().any(|prefix| name.starts_with(prefix)))
}
