//! Settings as an operator meets them.

use std::path::PathBuf;

use twinlane_tests::Program;

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("twinlane-it-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test]
async fn every_bad_setting_is_named_at_once_and_no_value_is_told() {
    let vars = [
        ("DEFAULT_TIMEOUT", "sk-slipped-in"),
        ("PORT", "x"),
        ("PROXY_CONFIG", r#"{"p":{"timeout":"soon"}}"#),
    ];
    let mut process = Program::start("twinlane", &[], &vars, &folder("bad"));
    assert_eq!(process.exit_code().await, Some(64));
    let told = process.printed();
    for name in ["DEFAULT_TIMEOUT:", "PORT:", "PROXY_CONFIG.p.timeout:", "PROXY_CONFIG.p.host:"] {
        assert!(told.contains(name), "{name} in {told}");
    }
    assert!(!told.contains("sk-slipped-in"), "{told}");
}

#[tokio::test]
async fn an_env_file_is_read_and_the_environment_goes_before_it() {
    let folder = folder("env");
    std::fs::write(folder.join(".env"), "# ours\nPORT=0\nOPENAI_API_KEY=\"sk-from-the-file\"\nDEMO=false\n")
        .unwrap();
    let process = Program::start("twinlane", &[], &[("GROQ_API_KEY", "gsk")], &folder);
    twinlane_tests::eventually("it listens", || process.printed().contains("listens on")).await;
    let told = process.printed();
    assert!(told.contains("keys      groq, openai"), "{told}");
    assert!(!told.contains("sk-from-the-file") && !told.contains(" demo"), "{told}");
}

#[tokio::test]
async fn an_env_file_that_cannot_be_read_is_named() {
    let folder = folder("bad-env");
    std::fs::write(folder.join(".env"), "OPENAI_API_KEY sk-secret\n").unwrap();
    let mut process = Program::start("twinlane", &[], &[], &folder);
    assert_eq!(process.exit_code().await, Some(64));
    assert!(
        process.printed().contains(".env") && !process.printed().contains("sk-secret"),
        "{}",
        process.printed()
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_the_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut process = Program::start("twinlane", &[], &[("PORT", &port)], &folder("taken"));
    assert_eq!(process.exit_code().await, Some(1));
    assert!(process.printed().contains(&port) && process.printed().contains("Set PORT"));
}

#[tokio::test]
async fn a_newcomer_is_shown_what_there_is_and_what_to_try() {
    let process = Program::start("twinlane", &[], &[("PORT", "0")], &folder("newcomer"));
    twinlane_tests::eventually("the greeting is complete", || process.printed().contains("Write a story"))
        .await;
    let told = process.printed();
    for part in [
        "lanes",
        "services",
        "keys",
        "callers",
        "demo",
        "curl -N http://127.0.0.1:",
        "/gateway/demo/v1/models",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert_eq!(told.matches("curl ").count(), 3, "{told}");
}

#[tokio::test]
async fn every_setting_is_described_in_the_reference() {
    let reference =
        std::fs::read_to_string(twinlane_tests::process::root().join("docs/settings.md")).unwrap();
    let example = std::fs::read_to_string(twinlane_tests::process::root().join(".env.example")).unwrap();
    let mut named = Vec::new();
    for file in [
        "config.rs",
        "config/hop.rs",
        "config/images.rs",
        "config/origin.rs",
        "config/proxy_config.rs",
        "config/services.rs",
        "config/access.rs",
        "config/store.rs",
        "config/telemetry.rs",
        "config/vision.rs",
    ] {
        let source = twinlane_tests::process::root().join("shared/gateway/src").join(file);
        let source = std::fs::read_to_string(source).unwrap();
        let (code, _) = source.split_once("#[cfg(test)]").unwrap_or((&source, ""));
        let quoted = code.split("reader.").skip(1).filter_map(|call| call.split('"').nth(1));
        let settings = quoted.filter(|word| {
            word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        });
        named.extend(settings.map(str::to_owned));
    }
    assert!(named.len() > 25, "{named:?}");
    for setting in &named {
        assert!(reference.contains(&format!("`{setting}`")), "docs/settings.md does not describe {setting}");
    }
    for line in example.lines().filter(|line| line.contains('=')) {
        let name = line.trim_start_matches(['#', ' ']).split('=').next().unwrap();
        assert!(
            reference.contains(&format!("`{name}`")),
            ".env.example has {name}, which docs/settings.md does not describe"
        );
    }
}
