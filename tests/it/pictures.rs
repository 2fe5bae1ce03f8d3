//! Images that a client names by a URL, for providers that fetch none: fetched with care, put in or uploaded.

use serde_json::{Value, json};
use twinlane_demo::Demo;
use twinlane_tests::Twinlane;
use twinlane_tests::client::Answer;
use twinlane_tests::raw::{Canned, Then};

const GIF: &str = "GIF89a with what a picture has";
const GIF_URL: &str = "data:image/gif;base64,R0lGODlhIHdpdGggd2hhdCBhIHBpY3R1cmUgaGFz";

/// A gateway, a provider that fetches no images, and a server that has some.
struct Gallery {
    provider: Demo,
    server: Canned,
    gateway: Twinlane,
}

impl Gallery {
    /// The server answers every request with a GIF, and is vouched for.
    async fn new() -> Self {
        Self::with(&ok(GIF), true, &[]).await
    }

    async fn with(answer: &str, vouched: bool, vars: &[(&str, &str)]) -> Self {
        let provider = Demo::start().await.expect("a provider");
        let server = Canned::start(Then::Says(answer.to_owned())).await;
        let formats = |formats: &[&str]| {
            let forward = ["x-demo-*"];
            json!({ "host": provider.url(), "speaks": formats, "fetchesImages": false, "forwardHeaders": forward })
        };
        let services = json!({
            "chat": formats(&["chat"]),
            "responses": formats(&["responses", "chat"]),
            "messages": formats(&["messages"]),
            "google": formats(&["gemini"]),
            "fetching": { "host": provider.url() },
            "onemin": { "host": provider.url(), "forwardHeaders": ["x-demo-*"] },
        });
        let (services, allowed) = (services.to_string(), server.address.to_string());
        let mut all =
            vec![("PROXY_CONFIG", services.as_str()), ("ONEMIN_API_KEY", "the-server-s-key-of-1min")];
        all.extend(vouched.then_some(("IMAGE_FETCH_ALLOW", allowed.as_str())));
        all.extend(vars);
        Self { gateway: Twinlane::start(&all).await, provider, server }
    }

    fn url(&self) -> String {
        format!("http://{}/a.gif", self.server.address)
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.gateway.client.post(path).json(body).send().await
    }

    async fn chat(&self, model: &str, url: &str) -> Answer {
        self.post("/v1/chat/completions", &chat(model, &[url])).await
    }

    /// The body of the one call that the provider saw.
    fn seen(&self) -> Value {
        let calls = self.provider.calls();
        assert_eq!(calls.len(), 1, "{calls:#?}");
        serde_json::from_slice(&calls[0].body).expect("JSON")
    }

    /// Asks for an image that must not come, and returns the error.
    async fn refused(&self, url: &str) -> Value {
        let answer = self.chat("chat/demo", url).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(self.provider.calls().is_empty(), "nothing is asked without its image");
        let error = answer.json()["error"].clone();
        assert_eq!(error["param"], "messages[0].content[1].image_url.url");
        error
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

fn chat(model: &str, urls: &[&str]) -> Value {
    let images = urls.iter().map(|url| json!({ "type": "image_url", "image_url": { "url": url } }));
    let parts: Vec<_> =
        std::iter::once(json!({ "type": "text", "text": "What is this?" })).chain(images).collect();
    json!({ "model": model, "messages": [{ "role": "user", "content": parts }] })
}

#[tokio::test]
async fn a_provider_that_fetches_none_is_given_the_image() {
    let gallery = Gallery::new().await;
    let answer = gallery.chat("chat/demo", &gallery.url()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(gallery.seen()["messages"][0]["content"][1]["image_url"]["url"], GIF_URL);
    assert!(answer.text().contains("image/gif, 30 bytes"), "the provider saw it: {}", answer.text());
}

#[tokio::test]
async fn clients_and_providers_of_every_format_share_in_that() {
    let gallery = Gallery::new().await;
    let url = gallery.url();
    let responses = |model: &str| {
        let parts =
            json!([{ "type": "input_text", "text": "What?" }, { "type": "input_image", "image_url": url }]);
        json!({ "model": model, "input": [{ "role": "user", "content": parts }] })
    };
    let messages = |model: &str| {
        let image = json!({ "type": "image", "source": { "type": "url", "url": url } });
        let parts = json!([{ "type": "text", "text": "What?" }, image]);
        json!({ "model": model, "max_tokens": 100, "messages": [{ "role": "user", "content": parts }] })
    };
    let file = json!({ "fileData": { "mimeType": "image/gif", "fileUri": url } });
    let gemini = json!({ "contents": [{ "role": "user", "parts": [{ "text": "What?" }, file] }] });
    for (path, body, place) in [
        ("/v1/responses", responses("responses/demo"), "/input/0/content/1/image_url"),
        ("/v1/responses", responses("chat/demo"), "/messages/0/content/1/image_url/url"),
        ("/v1/messages", messages("messages/demo"), "/messages/0/content/1/source"),
        ("/v1/messages", messages("chat/demo"), "/messages/0/content/1/image_url/url"),
        ("/v1beta/models/chat%2Fdemo:generateContent", gemini, "/messages/0/content/1/image_url/url"),
        ("/v1/chat/completions", chat("messages/demo", &[&url]), "/messages/0/content/1/source"),
        ("/v1/chat/completions", chat("google/demo", &[&url]), "/contents/0/parts/1/inlineData"),
    ] {
        gallery.provider.clear();
        let answer = gallery.post(path, &body).await;
        assert_eq!(answer.status, 200, "{path} {place}: {}", answer.text());
        let seen = gallery.seen();
        let shown = match seen.pointer(place).unwrap_or_else(|| panic!("{path} {place}: {seen}")) {
            Value::String(url) => url.clone(),
            block => {
                let (kind, data) = (&block["media_type"], &block["data"]);
                let kind = if kind.is_null() { &block["mimeType"] } else { kind };
                format!("data:{};base64,{}", kind.as_str().unwrap(), data.as_str().unwrap())
            }
        };
        assert_eq!(shown, GIF_URL, "{path} {place}");
    }
}

#[tokio::test]
async fn a_provider_that_fetches_is_told_the_url() {
    let gallery = Gallery::new().await;
    gallery.chat("fetching/demo", &gallery.url()).await;
    assert_eq!(gallery.seen()["messages"][0]["content"][1]["image_url"]["url"], gallery.url());
    assert_eq!(gallery.server.asked(), 0);
}

#[tokio::test]
async fn a_call_without_links_passes_to_the_byte() {
    let gallery = Gallery::new().await;
    let body = format!(
        "{{\"model\":\"demo\",  \"temperature\":1.50,\"messages\":[{{\"role\":\"user\",\"content\":[\
         {{\"type\":\"text\",\"text\":\"http://a\"}},{{\"type\":\"image_url\",\"image_url\":{{\"url\":\"{GIF_URL}\"}}}}]}}]}}"
    );
    let call = gallery.gateway.client.post("/v1/chat/completions").header("x-provider", "chat");
    let answer = call.header("content-type", "application/json").body(body.clone()).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(gallery.provider.calls()[0].body, body);
}

#[tokio::test]
async fn an_image_shown_twice_is_fetched_once_and_tells_nothing_of_the_client() {
    let gallery = Gallery::new().await;
    let gallery_of_its_own = Demo::start().await.unwrap();
    let url = format!("{}/demo/pictures/a.png?size=1", gallery_of_its_own.url());
    let services =
        json!({ "chat": { "host": gallery.provider.url(), "speaks": ["chat"], "fetchesImages": false } });
    let host = url.split('/').nth(2).unwrap().to_owned();
    let vars = [("PROXY_CONFIG", services.to_string()), ("IMAGE_FETCH_ALLOW", host.clone())];
    let gateway = Twinlane::start(&vars.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    let call = gateway.client.post("/v1/chat/completions").json(&chat("chat/demo", &[&url, &url]));
    let headers =
        [("authorization", "Bearer a-key-of-the-client-s"), ("cookie", "a=b"), ("x-request-id", "mine")];
    let answer = call.headers(&headers).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let content = gallery.seen()["messages"][0]["content"].clone();
    assert!(content[1]["image_url"]["url"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
    assert_eq!(content[1], content[2]);
    let asked = gallery_of_its_own.calls();
    assert_eq!(asked.len(), 1, "{asked:#?}");
    assert_eq!(asked[0].target, "/demo/pictures/a.png?size=1");
    let mut names: Vec<_> = asked[0].headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
    assert_eq!(asked[0].headers["host"], *host);
    assert_eq!(asked[0].headers["accept-encoding"], "identity");
}

#[tokio::test]
async fn the_gateway_s_own_network_is_not_read() {
    let gallery = Gallery::with(&ok(GIF), false, &[]).await;
    let port = gallery.server.address.port();
    for url in [
        gallery.url(),
        format!("https://127.0.0.1:{port}/a.gif"),
        format!("http://localhost:{port}/a.gif"),
        "https://127.0.0.1/a.gif".to_owned(),
        // A name that resolves to this machine.
        "https://localhost/a.gif".to_owned(),
        "https://[::1]/a.gif".to_owned(),
        "https://169.254.169.254/latest/meta-data/iam".to_owned(),
    ] {
        let error = gallery.refused(&url).await;
        assert_eq!(error["code"], "image_forbidden_address", "{url}");
        let message = error["message"].as_str().unwrap();
        assert!(!message.contains("127.0.0.1") && !message.contains("::1"), "{message}");
    }
    assert_eq!(gallery.server.asked(), 0);
}

#[tokio::test]
async fn a_redirect_is_judged_like_the_first_url() {
    let secret = Canned::start(Then::Says(ok(GIF))).await;
    for to in [
        format!("http://{}/a.gif", secret.address),
        format!("//{}/a.gif", secret.address),
        "https://localhost/a.gif".to_owned(),
        "https://169.254.169.254/".to_owned(),
    ] {
        let gallery = Gallery::with(&redirect(&to), true, &[]).await;
        let error = gallery.refused(&gallery.url()).await;
        assert_eq!(error["code"], "image_forbidden_address", "{to}");
        assert_eq!(gallery.server.asked(), 1);
    }
    assert_eq!(secret.asked(), 0);
}

#[tokio::test]
async fn redirects_are_followed_three_times() {
    let last = Canned::start(Then::Says(ok(GIF))).await;
    let allow = |others: &[&Canned]| {
        let listed: Vec<_> = others.iter().map(|server| server.address.to_string()).collect();
        listed.join(",")
    };
    let third = Canned::start(Then::Says(redirect(&format!("http://{}/", last.address)))).await;
    let second = Canned::start(Then::Says(redirect(&format!("//{}/b", third.address)))).await;
    let first = redirect(&format!("http://{}/c", second.address));
    let allowed = allow(&[&last, &third, &second]);
    let mut gallery = Gallery::with(&first, false, &[("IMAGE_FETCH_ALLOW", "127.0.0.1")]).await;
    let answer = gallery.chat("chat/demo", &gallery.url()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    gallery.provider.clear();
    // The server's own port is not among those of the list.
    gallery.gateway = Gallery::with(&first, false, &[("IMAGE_FETCH_ALLOW", &allowed)]).await.gateway;
    let answer = gallery.chat("chat/demo", &gallery.url()).await;
    assert_eq!(answer.json()["error"]["code"], "image_forbidden_address");
    let circle = Gallery::with(&redirect("/again"), true, &[]).await;
    assert_eq!(circle.refused(&circle.url()).await["code"], "image_unreachable");
    assert_eq!(circle.server.asked(), 4);
}

#[tokio::test]
async fn an_image_may_be_too_large_by_its_length_or_once_it_comes() {
    let body = "GIF89a".repeat(20);
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    for answer in [ok(&body), endless] {
        let gallery = Gallery::with(&answer, true, &[("IMAGE_FETCH_MAX", "119")]).await;
        let error = gallery.refused(&gallery.url()).await;
        assert_eq!(error["code"], "image_too_large");
        assert!(error["message"].as_str().unwrap().contains("119 bytes"), "{error}");
        let gallery = Gallery::with(&answer, true, &[("IMAGE_FETCH_MAX", "120")]).await;
        assert_eq!(gallery.chat("chat/demo", &gallery.url()).await.status, 200);
    }
}

#[tokio::test]
async fn images_do_not_make_a_request_larger_than_any_may_be() {
    let gallery = Gallery::with(&ok(&"GIF89a".repeat(150)), true, &[("MAX_REQUEST_SIZE", "1000")]).await;
    let url = gallery.url();
    assert_eq!(gallery.chat("chat/demo", &url).await.json()["error"]["code"], "image_too_large");
    let urls: Vec<_> = (0..9).map(|at| format!("{url}?{at}")).collect();
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let gallery = Gallery::new().await;
    let answer = gallery.post("/v1/chat/completions", &chat("chat/demo", &urls)).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &"too_many_images".into()));
    assert_eq!((gallery.server.asked(), gallery.provider.calls().len()), (0, 0));
}

#[tokio::test]
async fn what_is_no_image_is_not_passed_on_as_one() {
    for body in ["<svg xmlns='http://www.w3.org/2000/svg'/>", "root:x:0:0", ""] {
        let gallery = Gallery::with(&ok(body), true, &[]).await;
        assert_eq!(gallery.refused(&gallery.url()).await["code"], "unsupported_image_type", "{body}");
    }
    let gone = Gallery::with("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", true, &[]).await;
    assert_eq!(gone.refused(&gone.url()).await["code"], "image_unreachable");
    let cut = Gallery::with("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nGIF89a", true, &[]).await;
    assert_eq!(cut.refused(&cut.url()).await["code"], "image_unreachable");
}

#[tokio::test]
async fn a_server_that_never_answers_is_waited_for_as_long_as_the_call_may_take() {
    let silent = Canned::start(Then::Hangs).await;
    let vars = [("IMAGE_FETCH_ALLOW", "127.0.0.1"), ("TOTAL_TIMEOUT", "1000")];
    let gallery = Gallery::with("", false, &vars).await;
    for scheme in ["http", "https"] {
        let error = gallery.refused(&format!("{scheme}://{}/", silent.address)).await;
        assert_eq!(error["code"], "image_unreachable");
    }
    assert_eq!(silent.asked(), 1, "behind https, nothing is asked in the clear");
}

#[tokio::test]
async fn images_for_1min_ai_are_uploaded_first() {
    let gallery = Gallery::new().await;
    let url = gallery.url();
    for (key, expected) in
        [("", "the-server-s-key-of-1min"), ("Bearer a-key-of-the-client-s", "a-key-of-the-client-s")]
    {
        gallery.provider.clear();
        let call = gallery.gateway.client.post("/v1/chat/completions");
        let call = if key.is_empty() { call } else { call.header("authorization", key) };
        let answer = call.json(&chat("onemin/demo", &[&url, GIF_URL, &url])).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let calls = gallery.provider.calls();
        assert_eq!(
            calls.iter().map(|call| call.target.as_str()).collect::<Vec<_>>(),
            ["/api/assets", "/api/chat-with-ai"]
        );
        assert!(calls.iter().all(|call| call.headers["api-key"] == expected), "{calls:#?}");
        let form = String::from_utf8_lossy(&calls[0].body);
        assert!(form.contains("name=\"asset\"; filename=\"image.gif\"") && form.contains(GIF), "{form}");
        let body: Value = serde_json::from_slice(&calls[1].body).unwrap();
        let images = body["promptObject"]["attachments"]["images"].as_array().unwrap();
        assert_eq!(images.len(), 3);
        assert!(
            images.iter().all(|path| path == &images[0] && path.as_str().unwrap().starts_with("images/"))
        );
    }
}

#[tokio::test]
async fn a_refused_upload_is_told_in_the_client_s_format() {
    let gallery = Gallery::new().await;
    let image = json!({ "type": "image", "source": { "type": "base64", "media_type": "image/gif", "data": "R0lGODlh" } });
    let body = json!({ "model": "onemin/demo", "max_tokens": 9, "messages": [{ "role": "user", "content": [image] }] });
    let call = gallery.gateway.client.post("/v1/messages").header("x-demo-status", "401").json(&body);
    let answer = call.send().await;
    let error = answer.json();
    assert_eq!((answer.status, &error["type"]), (401, &"error".into()), "{error}");
    assert_eq!(error["error"]["type"], "authentication_error");
    assert_eq!(answer.header("x-error-source"), "provider");
    assert_eq!(gallery.provider.calls()[0].target, "/api/assets");
    for broken in ["data:image/gif;base64,%%%", "data:image/svg+xml;base64,PHN2Zz4="] {
        let error = gallery.chat("onemin/demo", broken).await.json();
        assert_eq!(error["error"]["code"], "unsupported_image_type", "{error}");
    }
}

#[tokio::test]
async fn a_target_that_refuses_an_upload_for_its_load_is_passed_over() {
    let busy = Canned::start(Then::Says(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 7\r\n\
         content-length: 25\r\n\r\n{\"message\":\"not so fast\"}"
            .to_owned(),
    ))
    .await;
    let provider = Demo::start().await.unwrap();
    let services = json!({
        "onemin": { "host": format!("http://{}", busy.address), "maxRetries": 0 },
        "chat": { "host": provider.url(), "speaks": ["chat"] },
    })
    .to_string();
    let aliases = json!({ "seeing": ["onemin/demo", "chat/demo"] }).to_string();
    let vars = [
        ("PROXY_CONFIG", services.as_str()),
        ("MODEL_ALIASES", &aliases),
        ("ONEMIN_API_KEY", "k"),
        ("CHAT_API_KEY", "k"),
    ];
    let gateway = Twinlane::start(&vars).await;
    let call = gateway.client.post("/v1/chat/completions").json(&chat("seeing", &[GIF_URL]));
    let answer = call.send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-served-by"), "chat/demo");
    assert!(answer.header("x-fallbacks").starts_with("onemin/demo: 429"), "{:?}", answer.headers);
    assert_eq!(busy.asked(), 1);
}
