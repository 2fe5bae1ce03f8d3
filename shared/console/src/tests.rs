use std::path::Path;

use http::{Method, Request, Response};
use twinlane_gateway::Body;

use super::{FILES, answer, unpacked};

fn ask(method: Method, path: &str, headers: &[(&str, &str)]) -> Option<Response<Body>> {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    answer(&request.body(()).unwrap())
}

#[test]
fn every_file_is_the_one_in_the_folder() {
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../public");
    for file in FILES {
        assert_eq!(unpacked(file), std::fs::read(public.join(file.path)).unwrap(), "{}", file.path);
    }
    assert!(
        FILES.iter().any(|file| file.path == "views/playground/rails.js"),
        "folders within folders are there"
    );
}

#[test]
fn files_have_the_types_that_browsers_insist_on() {
    let check = |path: &str, kind: &str| {
        let response = ask(Method::GET, path, &[]).unwrap();
        assert_eq!(response.headers()["content-type"], kind, "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        assert!(response.headers().contains_key("content-security-policy"), "{path}");
    };
    check("/", "text/html; charset=utf-8");
    check("/app.js", "text/javascript; charset=utf-8");
    check("/vendor/marked.js", "text/javascript; charset=utf-8");
    check("/style.css", "text/css; charset=utf-8");
    check("/favicon.svg", "image/svg+xml");
    check("/vendor/README.md", "text/plain; charset=utf-8");
}

#[test]
fn only_reading_a_file_that_is_there_is_answered() {
    for path in ["/health", "/lib", "/lib/", "/../Cargo.toml", "/lib/../app.js", "//app.js", "/APP.JS", ""] {
        assert!(ask(Method::GET, if path.is_empty() { "*" } else { path }, &[]).is_none(), "{path}");
    }
    assert!(ask(Method::POST, "/app.js", &[]).is_none());
    assert!(ask(Method::HEAD, "/app.js", &[]).is_some());
}

#[test]
fn it_is_compressed_for_those_who_take_that() {
    let check = |accepted: &str, packed: bool| {
        let response = ask(Method::GET, "/app.js", &[("accept-encoding", accepted)]).unwrap();
        assert_eq!(response.headers().contains_key("content-encoding"), packed, "{accepted}");
        assert_eq!(response.headers()["vary"], "accept-encoding");
    };
    check("gzip", true);
    check("br, GZIP;q=0.8", true);
    check("gzip;q=0", false);
    check("identity", false);
    check("", false);
}

#[test]
fn a_browser_that_holds_this_version_is_told_so() {
    let tag = ask(Method::GET, "/app.js", &[]).unwrap().headers()["etag"].to_str().unwrap().to_owned();
    let status =
        |held: &str| ask(Method::GET, "/app.js", &[("if-none-match", held)]).unwrap().status().as_u16();
    assert_eq!(status(&tag), 304);
    assert_eq!(status(&format!("\"other\", W/{tag}")), 304);
    assert_eq!(status("\"other\""), 200);
}

/// What a first visit loads: everything but the charts, which the view that shows one loads, and the document.
#[test]
fn a_first_visit_is_small() {
    let later = ["vendor/uplot", "openapi.json", "vendor/README", "LICENSE"];
    let first = FILES.iter().filter(|file| !later.iter().any(|name| file.path.contains(name)));
    let bytes: usize = first.map(|file| file.packed.len()).sum();
    assert!(bytes < 150_000, "{bytes} bytes compressed");
}
