//! The console in a real browser: Debian's Chromium, driven by the scripts of `tests/browser`.
//!
//! Whatever a fact is about, it fails where the page breaks its Content-Security-Policy, asks anybody but the gateway,
//! throws, or writes an error to the browser's console (`tests/browser/stage.mjs`).

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::process::Command;
use twinlane_demo::{Demo, End};
use twinlane_tests::process::root;
use twinlane_tests::{Twinlane, eventually};

const KEY: &str = "gateway-token-of-sixteen";
const ADMIN: &str = "administrator-s-token";

/// A gateway whose providers are all the demo, which remembers what reached it.
struct Stage {
    provider: Demo,
    gateway: Twinlane,
}

impl Stage {
    async fn set(more: &[(&str, &str)]) -> Self {
        let provider = Demo::start().await.expect("a provider");
        let at = json!({ "host": provider.url(), "insecure": true });
        let config = json!({ "openai": at, "claude": at }).to_string();
        let aliases = json!({ "careful": ["openai/demo-error-503", "claude/demo"] }).to_string();
        let vars = [
            ("PROXY_CONFIG", config.as_str()),
            ("MODEL_ALIASES", aliases.as_str()),
            ("OPENAI_API_KEY", "server-key-of-openai"),
            ("ANTHROPIC_API_KEY", "server-key-of-claude"),
        ];
        let gateway = Twinlane::start(&[&vars, more].concat()).await;
        Self { provider, gateway }
    }

    /// Holds a fact against the gateway; what the script told.
    async fn holds(&self, fact: &str) -> Value {
        assert!(
            std::env::var_os("TWINLANE_BROWSER_NODE").is_some(),
            "TWINLANE_BROWSER_NODE is not set: run ./scripts/test"
        );
        let given = json!({ "url": self.gateway.url(), "key": KEY, "admin": ADMIN }).to_string();
        let script = root().join("tests/browser/run.mjs");
        let output = Command::new("node").arg(script).args([fact, &given]).kill_on_drop(true).output().await;
        let output = output.expect("node starts");
        assert!(output.status.success(), "{fact}:\n{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

async fn holds(fact: &str) {
    Stage::set(&[]).await.holds(fact).await;
}

#[tokio::test]
async fn a_first_visit_is_small_and_says_what_this_is() {
    holds("aFirstVisitIsSmallAndSaysWhatThisIs").await;
}

#[tokio::test]
async fn an_answer_streams_as_cleaned_markdown() {
    holds("anAnswerStreamsAsCleanedMarkdown").await;
}

#[tokio::test]
async fn the_same_question_goes_in_three_formats() {
    holds("theSameQuestionGoesInThreeFormats").await;
}

#[tokio::test]
async fn the_code_that_is_shown_for_a_call_runs() {
    let stage = Stage::set(&[]).await;
    let told = stage.holds("theCallIsShownAsCode").await;
    let folder = std::env::temp_dir().join(format!("twinlane-code-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let picture = BASE64_STANDARD.decode(told["picture"].as_str().expect("a picture")).expect("base64");
    std::fs::write(folder.join("a dot's.png"), &picture).expect("a file");
    for shown in told["shown"].as_array().expect("a list") {
        stage.provider.clear();
        let (said, call) = (run(&folder, shown).await, stage.provider.calls().pop().expect("a call"));
        assert!(said.contains("image/png"), "{said}\n{}", shown["code"].as_str().unwrap_or_default());
        let sent = String::from_utf8_lossy(&call.body).into_owned();
        for words in [r#"It's \"short\" & costs $5"#, r#"What `is` $this, and\nwhy \"so\"?"#, "0.5"] {
            assert!(sent.contains(words), "{words} in {sent}");
        }
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// Runs what the page shows, as somebody would who copied it; what that printed.
async fn run(folder: &Path, shown: &Value) -> String {
    let code = shown["code"].as_str().expect("code");
    let place =
        |variable: &str| std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set"));
    let mut command = match shown["language"].as_str() {
        Some("curl") => Command::new("bash"),
        Some("Python") => Command::new(place("TWINLANE_PYTHON")),
        _ => Command::new("node"),
    };
    if shown["language"] == "TypeScript" {
        // What it imports is looked for beside the file.
        let modules = PathBuf::from(place("TWINLANE_NODE_DIR")).join("node_modules");
        let _ = std::os::unix::fs::symlink(modules, folder.join("node_modules"));
        std::fs::write(folder.join("call.mjs"), code).expect("a file");
        command.arg("call.mjs");
    } else {
        command.arg("-c").arg(code);
    }
    let output = command.current_dir(folder).kill_on_drop(true).output().await.expect("it starts");
    assert!(output.status.success(), "{code}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn stop_really_cancels() {
    let stage = Stage::set(&[]).await;
    stage.holds("stopReallyCancels").await;
    let left = || stage.provider.calls().iter().any(|call| call.end == End::ClientLeft);
    eventually("the provider notices that its client left", left).await;
}

#[tokio::test]
async fn a_picture_is_turned_and_made_smaller_before_it_is_sent() {
    let stage = Stage::set(&[]).await;
    let told = stage.holds("aPictureIsTurnedAndMadeSmaller").await;
    let original = told["original"].as_u64().expect("a size");
    let sent = stage.provider.calls().into_iter().find(|call| call.target.ends_with("/chat/completions"));
    let sent: Value = serde_json::from_slice(&sent.expect("a call").body).expect("JSON");
    let url = sent.pointer("/messages/0/content/1/image_url/url").and_then(Value::as_str).expect("a picture");
    let picture =
        BASE64_STANDARD.decode(url.strip_prefix("data:image/jpeg;base64,").expect("a JPEG")).expect("base64");
    assert!(original > 2_000_000, "the picture was large: {original} bytes");
    assert!((picture.len() as u64) < original / 2, "the provider got {} of {original} bytes", picture.len());
}

#[tokio::test]
async fn a_fallback_is_told() {
    holds("aFallbackIsTold").await;
}

#[tokio::test]
async fn errors_are_told_in_words() {
    holds("errorsAreToldInWords").await;
}

#[tokio::test]
async fn a_key_is_asked_for_and_kept_for_the_tab_only() {
    let stage = Stage::set(&[("AUTH_TOKEN", KEY)]).await;
    stage.holds("aKeyIsAskedForAndKeptForTheTabOnly").await;
}

#[tokio::test]
async fn a_stream_cut_anywhere_is_read_the_same() {
    holds("aStreamCutAnywhereIsReadTheSame").await;
}

#[tokio::test]
async fn numbers_are_for_people() {
    holds("numbersAreForPeople").await;
}

#[tokio::test]
async fn usage_tells_the_calls_that_were_made() {
    holds("usageTellsTheCallsThatWereMade").await;
}

#[tokio::test]
async fn the_tail_of_calls_is_live() {
    holds("theTailIsLive").await;
}

#[tokio::test]
async fn a_token_is_made_used_and_taken_back() {
    let secret = "a-secret-of-thirty-two-characters-or-more";
    let stage = Stage::set(&[("GATEWAY_SECRET", secret), ("ADMIN_TOKEN", ADMIN), ("AUTH_TOKEN", KEY)]).await;
    stage.holds("aTokenIsMadeUsedAndTakenBack").await;
}

#[tokio::test]
async fn doctor_services_and_reference_tell_what_is_there() {
    holds("doctorServicesAndReferenceTellWhatIsThere").await;
}

#[tokio::test]
async fn a_keyboard_is_enough() {
    holds("aKeyboardIsEnough").await;
}

#[tokio::test]
async fn everything_fits_a_phone() {
    holds("everythingFitsAPhone").await;
}

#[tokio::test]
async fn nobody_is_kept_out() {
    let secret = "a-secret-of-thirty-two-characters-or-more";
    let stage = Stage::set(&[("GATEWAY_SECRET", secret), ("ADMIN_TOKEN", ADMIN)]).await;
    stage.holds("nobodyIsKeptOut").await;
}
