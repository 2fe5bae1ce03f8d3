//! Holds the document at `/openapi.json` to the code: the addresses, the methods and the words of one are the other's.
//!
//! What the pages answer is held to the document by `tests/it/openapi.rs`, against the running gateway.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use http::{Method, Uri};
use serde_json::Value;

use crate::route::{PAGES, Route};
use crate::unified::endpoint::{ACTIONS, Endpoint, MODELS, NAMED};

/// An address with a method, as the document writes them.
type Operation = (String, String);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn document() -> Value {
    serde_json::from_slice(&std::fs::read(root().join("public/openapi.json")).unwrap()).unwrap()
}

/// The operations of the document, each with what it says.
fn operations(document: &Value) -> Vec<(Operation, &Value)> {
    let methods = ["get", "head", "post", "put", "patch", "delete", "options"];
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let found = methods.iter().filter_map(|method| Some((*method, item.get(*method)?)));
        operations.extend(found.map(|(method, said)| ((path.clone(), method.to_uppercase()), said)));
    }
    operations
}

/// What of the document the code has a name for: not what passes to a provider, of which nothing is promised.
fn promised(document: &Value) -> BTreeSet<Operation> {
    let named =
        operations(document).into_iter().filter(|(_, said)| said["responses"].get("default").is_none());
    named.map(|(operation, _)| operation).collect()
}

/// What the code has a name for. A page that is read answers HEAD as well, which the document says once.
fn served() -> BTreeSet<Operation> {
    let operation = |path: &str, method: &str| (path.to_owned(), method.to_owned());
    let pages = PAGES.iter().map(|(path, _)| operation(path, "GET"));
    let unified = NAMED.iter().flat_map(|(methods, path, _)| {
        let methods = methods.iter().filter(|method| **method != "HEAD");
        methods.map(move |method| operation(path, method))
    });
    let models = MODELS.iter().map(|list| operation(&format!("{list}/{{model}}"), "GET"));
    let google =
        ACTIONS.iter().map(|(action, _)| operation(&format!("/v1beta/models/{{model}}:{action}"), "POST"));
    pages.chain(unified).chain(models).chain(google).collect()
}

/// The addresses of the administrator's pages. What they answer to is decided where they are, by name.
fn admin_pages() -> BTreeSet<String> {
    let files = sources("shared/gateway/src/admin").into_iter().chain(sources("shared/gateway/src/admin.rs"));
    let named = files.flat_map(|text| literals(&text)).filter(|word| word.starts_with("/admin"));
    named.map(|page| if page.ends_with('/') { page + "{id}" } else { page }).collect()
}

/// The code of the files below a place, without its tests.
fn sources(place: &str) -> Vec<String> {
    fn below(path: &Path, found: &mut Vec<String>) {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            entries.for_each(|entry| below(&entry, found));
        } else if !path.ends_with("tests.rs") && path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
            found.push(
                lines.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n"),
            );
        }
    }
    let mut found = Vec::new();
    below(&root().join(place), &mut found);
    assert!(!found.is_empty(), "{place}");
    found
}

/// The texts between quotes. Those with a quote in them are cut, which no word has.
fn literals(code: &str) -> Vec<String> {
    code.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The body of a function of a type.
fn body_of<'a>(code: &'a str, function: &str) -> Option<&'a str> {
    let begins = |at: &usize| code[..*at].rsplit('\n').next().is_some_and(|line| line.starts_with("    "));
    let (at, _) = code.match_indices(&format!("fn {function}(")).find(|(at, _)| begins(at))?;
    code[at..].split("\n    }\n").next()
}

/// The first argument of each call that begins so, or the second, where that is a text.
fn arguments(code: &str, call: &str, at: usize) -> Vec<String> {
    let calls = code.split(call).skip(1).filter_map(|rest| rest.split(',').nth(at));
    let texts = calls.filter_map(|argument| argument.trim().strip_prefix('"')?.strip_suffix('"'));
    texts.map(str::to_owned).collect()
}

/// The codes of all errors that can come from here.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for code in
        ["shared/gateway/src", "shared/access/src", "shared/dialects/src"].into_iter().flat_map(sources)
    {
        let bodies = ["terms", "code"].into_iter().filter_map(|function| body_of(&code, function));
        codes.extend(bodies.flat_map(literals));
        codes.extend(arguments(&code, "unfit(", 0));
        codes.extend(arguments(&code, "of_upstream(", 0));
        codes.extend(arguments(&code, "Refusal::of(", 1));
        codes.extend(arguments(&code, " code: ", 0));
    }
    codes
}

/// The words that a schema knows.
fn words(schema: &Value) -> BTreeSet<String> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    let told = schema["oneOf"].as_array().into_iter().flatten().map(|word| &word["const"]);
    listed.chain(told).map(|word| word.as_str().unwrap().to_owned()).collect()
}

fn words_of(file: &str, function: &str) -> BTreeSet<String> {
    let code = sources(file).remove(0);
    code.split("\nimpl").filter_map(|part| body_of(part, function)).flat_map(literals).collect()
}

#[test]
fn the_document_has_every_route_of_the_code_and_no_other() {
    let document = document();
    let (mut promised, served) = (promised(&document), served());
    promised.retain(|(path, _)| !path.starts_with("/admin"));
    let strangers: Vec<_> = promised.symmetric_difference(&served).collect();
    assert!(strangers.is_empty(), "in docs/openapi or in the code, and not in both: {strangers:#?}");
}

#[test]
fn the_document_has_every_administrator_s_page_and_no_other() {
    let document = document();
    let paths = document["paths"].as_object().unwrap().keys().filter(|path| path.starts_with("/admin"));
    assert_eq!(paths.cloned().collect::<BTreeSet<_>>(), admin_pages());
}

#[test]
fn what_the_document_lets_pass_is_passed() {
    let document = document();
    let promised = promised(&document);
    let mut passing = 0;
    for (operation, _) in operations(&document) {
        let (path, method) = &operation;
        let path = path.replace("{service}", "demo").replace("{path}", "x/y").replace(['{', '}'], "");
        let (uri, method): (Uri, Method) = (path.parse().unwrap(), method.parse().unwrap());
        match Route::of(&method, &uri).expect(&path) {
            Route::Unified(path) if promised.contains(&operation) => {
                assert_ne!(Endpoint::of(&method, path), Endpoint::Other, "{path}");
            }
            Route::Unified(path) => {
                assert_eq!(Endpoint::of(&method, path), Endpoint::Other, "{path}");
                passing += 1;
            }
            Route::Service(service, path) => assert_eq!((service, path), ("demo", "/x/y")),
            Route::Page(_) | Route::Admin(_) => assert!(promised.contains(&operation), "{path}"),
        }
    }
    assert!(passing > 5, "{passing}");
}

#[test]
fn the_document_knows_every_error_s_code_and_no_other() {
    let document = document();
    let told = words(&document["components"]["schemas"]["ErrorCode"]);
    let strangers: Vec<_> = codes().symmetric_difference(&told).cloned().collect();
    assert!(
        strangers.is_empty(),
        "in docs/openapi/errors.yaml or in the code, and not in both: {strangers:?}"
    );
}

#[test]
fn the_document_has_the_code_s_words() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let kinds = &schemas["GatewayError"]["properties"]["error"]["properties"]["type"];
    assert_eq!(words(kinds), words_of("shared/gateway/src/error.rs", "as_str"));
    let lanes: BTreeSet<_> = words(&schemas["Lane"]).union(&words(&schemas["LaneReason"])).cloned().collect();
    assert_eq!(lanes, words_of("shared/gateway/src/lane.rs", "as_str"));
    assert_eq!(document["info"]["version"], crate::VERSION);
}
