//! The doctor and the limits: what a deployment says of itself, and to whom.

use serde_json::Value;
use twinlane_tests::Twinlane;
use twinlane_tests::vercel::Function;

fn told<'a>(report: &'a Value, area: &str) -> Vec<(&'a str, &'a str)> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["area"] == area);
    findings.map(|finding| (finding["weight"].as_str().unwrap(), finding["told"].as_str().unwrap())).collect()
}

async fn examined(gateway: &Twinlane) -> Value {
    gateway.client.get("/gateway/doctor").send().await.json()
}

#[tokio::test]
async fn a_healthy_laptop_is_told_so() {
    let gateway = Twinlane::start(&[("OPENAI_API_KEY", "sk-secret-value")]).await;
    let report = examined(&gateway).await;
    assert_eq!((&report["platform"], &report["function"]), (&"local".into(), &"gateway".into()));
    assert_eq!(told(&report, "lanes"), [("good", "both lanes are in this process")]);
    assert_eq!(told(&report, "keys"), [("good", "the server has keys for openai")]);
    assert_eq!(told(&report, "callers")[0].0, "good");
    let openai =
        report["services"].as_array().unwrap().iter().find(|service| service["alias"] == "openai").unwrap();
    assert_eq!((&openai["key"], &openai["host"]), (&true.into(), &"api.openai.com".into()));
    assert!(report["settings"].as_array().unwrap().contains(&"OPENAI_API_KEY".into()));
    assert!(!report.to_string().contains("sk-secret"));
}

#[tokio::test]
async fn a_browser_gets_a_page_that_needs_no_script() {
    let gateway = Twinlane::start(&[]).await;
    let page = gateway.client.get("/gateway/doctor").header("accept", "text/html,*/*").send().await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(page.text().contains("both lanes are in this process") && !page.text().contains("<script"));
    assert_eq!(gateway.client.get("/doctor.css").send().await.status, 200);
}

#[tokio::test]
async fn the_hop_is_tried_by_a_signed_ping() {
    let background = Twinlane::start_background(&[("GATEWAY_SECRET", "right")]).await;
    let url = background.url();
    for (secret, weight, word) in [
        ("right", "good", "answers a signed ping"),
        ("wrong", "wrong", "GATEWAY_SECRET differs"),
        ("", "good", "answers a ping"),
    ] {
        let edge = Twinlane::start(&[("BACKGROUND_URL", &url), ("GATEWAY_SECRET", secret)]).await;
        let report = examined(&edge).await;
        let lanes = told(&report, "lanes");
        assert!(lanes[0].0 == weight && lanes[0].1.contains(word), "{secret}: {lanes:?}");
    }
}

#[tokio::test]
async fn a_background_that_is_not_there_is_wrong() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let edge = Twinlane::start(&[("BACKGROUND_URL", &format!("http://{closed}"))]).await;
    let report = examined(&edge).await;
    let lanes = told(&report, "lanes");
    assert!(lanes[0].0 == "wrong" && lanes[0].1.contains("not reached"), "{lanes:?}");
}

#[tokio::test]
async fn a_setting_that_does_nothing_here_is_named() {
    let gateway = Twinlane::start(&[("MAX_DURATION", "60"), ("NOBODY_API_KEY", "sk-secret")]).await;
    let report = examined(&gateway).await;
    let settings = told(&report, "settings");
    assert_eq!(settings.len(), 2, "{settings:?}");
    assert!(settings.iter().any(|(_, told)| told.starts_with("MAX_DURATION does nothing here")));
    assert!(settings.iter().any(|(_, told)| told.starts_with("NOBODY_API_KEY does nothing here")));
    let logged = || gateway.process.printed().contains("MAX_DURATION does nothing here");
    twinlane_tests::eventually("the start names it, too", logged).await;
}

#[tokio::test]
async fn on_a_platform_the_whole_is_for_callers_with_the_token() {
    let vars =
        [("AUTH_TOKEN", "tok-of-the-gateway"), ("OPENAI_API_KEY", "sk-secret"), ("ALLOW_ANONYMOUS", "true")];
    let function = Function::start("gateway", &vars).await;
    let ask = || function.invoke(|client| client.get("/gateway/doctor")).1;
    let public = ask().send().await.json();
    assert_eq!(public["platform"], "vercel");
    assert_eq!((&public["services"], &public["settings"]), (&Value::Null, &Value::Null));
    assert_eq!((told(&public, "keys"), told(&public, "lanes")), (vec![], vec![]), "{public}");
    assert_eq!(
        ask().header("authorization", "Bearer wrong").header("x-auth-token", "wrong").send().await.status,
        401
    );
    let whole = ask().header("authorization", "Bearer tok-of-the-gateway").send().await.json();
    assert!(told(&whole, "callers")[0].1.contains("anybody can spend"), "{whole}");
    assert_eq!(told(&whole, "keys"), [("good", "the server has keys for openai")]);
    assert!(!whole.to_string().contains("sk-secret") && !whole.to_string().contains("tok-of-the-gateway"));
}

#[tokio::test]
async fn a_page_of_another_origin_is_told_what_is_public() {
    let gateway = Twinlane::start(&[]).await;
    let report =
        gateway.client.get("/gateway/doctor").header("origin", "https://evil.example").send().await.json();
    assert_eq!(report["services"], Value::Null);
}

#[tokio::test]
async fn the_limits_are_told_to_anybody() {
    let gateway =
        Twinlane::start(&[("AUTH_TOKEN", "t"), ("MAX_REQUEST_SIZE", "1000"), ("TOTAL_TIMEOUT", "60000")])
            .await;
    let limits = gateway.client.get("/limits").send().await.json();
    assert_eq!((&limits["request_bytes"], &limits["call_seconds"]), (&1000.into(), &60.0.into()));
    assert_eq!(
        (&limits["edge_body_bytes"], &limits["response_bytes"]["openai"]),
        (&1_048_576.into(), &10_485_760.into())
    );
}
