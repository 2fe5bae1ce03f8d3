//! What holds the house up: the things that must not be there.

use std::process::Command;

use twinlane_tests::process::root;

/// The packages that `package` is built from, of normal dependencies.
fn built_from(package: &str) -> Vec<String> {
    let arguments = [
        "tree",
        "--locked",
        "--offline",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "-p",
        package,
    ];
    let tree = Command::new(env!("CARGO")).current_dir(root()).args(arguments).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let names = String::from_utf8(tree.stdout).unwrap();
    names.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn is_platform(name: &str) -> bool {
    name == "vercel_runtime" || name.starts_with("lambda_") || name.starts_with("aws") || name == "axum"
}

#[test]
fn the_gateway_names_no_platform() {
    let packages = built_from("twinlane-gateway");
    assert!(packages.iter().any(|name| name == "hyper"), "{packages:?}");
    assert_eq!(packages.iter().find(|name| is_platform(name)), None);
}

#[test]
fn translation_does_no_io() {
    for package in
        ["twinlane-dialects", "twinlane-glob", "twinlane-prices", "twinlane-telemetry", "twinlane-tokens"]
    {
        for name in built_from(package) {
            assert!(
                !matches!(name.as_str(), "tokio" | "hyper" | "http" | "chrono" | "rand" | "uuid"),
                "{package} {name}"
            );
        }
    }
}

#[test]
fn a_plain_build_compiles_nothing_of_aws() {
    for package in ["twinlane-local", "vercel-functions", "twinlane-demo"] {
        let packages = built_from(package);
        let aws = packages.iter().find(|name| name.starts_with("aws") || name.starts_with("lambda_"));
        assert_eq!(aws, None, "{package}");
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let default = manifest.lines().find(|line| line.starts_with("default-members")).unwrap();
    assert!(!default.contains("lambda"), "{default}");
}

#[test]
fn there_is_one_tls_stack_and_it_needs_no_c_library() {
    for package in ["twinlane-local", "vercel-functions", "twinlane-lambda"] {
        for name in built_from(package) {
            assert!(
                !matches!(
                    name.as_str(),
                    "openssl" | "openssl-sys" | "native-tls" | "aws-lc-rs" | "aws-lc-sys"
                ),
                "{package} {name}"
            );
        }
    }
}

#[test]
fn the_demo_provider_is_in_no_deployed_function() {
    for package in ["vercel-functions", "twinlane-lambda"] {
        assert!(!built_from(package).iter().any(|name| name == "twinlane-demo"), "{package}");
    }
}

#[test]
fn a_function_contains_no_store_that_it_cannot_use() {
    for (package, foreign) in [
        ("vercel-functions", &["rusqlite", "libsqlite3-sys", "twinlane-store-dynamodb"][..]),
        ("twinlane-lambda", &["rusqlite", "libsqlite3-sys"]),
        ("twinlane-gateway", &["rusqlite", "redis", "twinlane-store-dynamodb"]),
    ] {
        let packages = built_from(package);
        assert!(packages.iter().any(|name| name == "twinlane-store"), "{package}");
        assert_eq!(packages.iter().find(|name| foreign.contains(&name.as_str())), None, "{package}");
    }
}

#[test]
fn every_rust_file_in_api_is_one_of_the_two_functions() {
    let entries = std::fs::read_dir(root().join("api")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".rs"));
    names.sort();
    assert_eq!(names, ["background.rs", "gateway.rs"]);
}

#[test]
fn only_the_settings_and_the_doors_read_the_environment() {
    let allowed =
        ["local/src/main.rs", "local/src/environment.rs", "shared/vercel/src/lib.rs", "lambda/src/lib.rs"];
    let found = Command::new("git")
        .current_dir(root())
        .args([
            "grep",
            "-l",
            "std::env::",
            "--",
            "*.rs",
            ":!tests",
            ":!shared/stores/*/tests/*",
            ":!bench",
            ":!*/build.rs",
        ])
        .output();
    let found = String::from_utf8(found.unwrap().stdout).unwrap();
    let strangers: Vec<&str> = found.lines().filter(|file| !allowed.contains(file)).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

/// The workflows of the public host.
fn workflows() -> Vec<(String, String)> {
    let files = std::fs::read_dir(root().join(".github/workflows")).unwrap().map(|file| file.unwrap().path());
    let read = |path: std::path::PathBuf| {
        (path.display().to_string(), std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n"))
    };
    files.map(read).collect()
}

/// Whether a step's `uses:` names one commit for ever, and says for people which version that is.
fn is_pinned(action: &str) -> bool {
    let (name, comment) = action.split_once(" # v").unwrap_or((action, ""));
    let commit = name.split_once('@').map_or("", |(_, commit)| commit);
    !comment.is_empty() && commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn a_workflow_runs_pinned_actions_with_the_least_permissions() {
    assert!(is_pinned(&format!("a/b@{} # v1", "0a".repeat(20))));
    assert!(!is_pinned("a/b@v1 # v1") && !is_pinned(&format!("a/b@{}", "0a".repeat(20))));
    let workflows = workflows();
    assert!(workflows.len() >= 2, "{workflows:?}");
    for (file, text) in workflows {
        let uses = text.lines().filter_map(|line| line.split_once("uses:"));
        let loose: Vec<&str> =
            uses.map(|(_, action)| action.trim()).filter(|action| !is_pinned(action)).collect();
        assert!(loose.is_empty(), "{file}: {loose:?}");
        assert!(text.contains("\npermissions:\n  contents: read\n\n"), "{file} says its permissions");
        assert_eq!(text.matches("permissions:").count(), 1, "{file}: no job asks for more");
        assert!(!text.contains("pull_request_target") && !text.contains("secrets."), "{file}");
    }
}

/// The tests that a document names as `[fact](../file.rs)`.
fn named_tests(document: &str) -> Vec<(String, String)> {
    let link = regex_lite::Regex::new(r"\[([a-z0-9_]+)\]\(\.\./([a-z0-9_/.]+\.rs)\)").unwrap();
    link.captures_iter(document).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

#[test]
fn every_test_that_a_guarantee_rests_on_is_there() {
    let guarantees = std::fs::read_to_string(root().join("docs/guarantees.md")).unwrap();
    let rows = guarantees.lines().filter(|line| line.starts_with("| **"));
    let unproven: Vec<&str> = rows.filter(|row| named_tests(row).is_empty()).collect();
    assert!(unproven.is_empty(), "{unproven:#?}");
    let named = named_tests(&guarantees);
    assert!(named.len() > 50, "{}", named.len());
    for (test, file) in named {
        let code = std::fs::read_to_string(root().join(&file)).unwrap_or_default();
        assert!(code.contains(&format!("fn {test}(")), "{test} in {file}");
    }
}
