//! The doctor's report as a page for people.

use std::fmt::Write;

use super::{Report, Weight};

/// The report as HTML. It needs no script; its styles are the page's own files.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut body = String::new();
    let public = &report.public;
    let about = ["platform", "env", "version", "function"]
        .map(|field| escaped(public[field].as_str().unwrap_or_default()));
    let _ = write!(body, "<h1>{}</h1><p class=\"small\">{}</p>", headline(report), about.join(" · "));
    body.push_str("<h2>Findings</h2><ul>");
    for finding in &report.findings {
        let (word, area, told) = (finding.weight.word(), finding.area, escaped(&finding.told));
        let _ = write!(body, "<li class=\"{word}\"><b>{word}</b><span>{area}: {told}</span></li>");
    }
    body.push_str("</ul>");
    if report.whole {
        body.push_str(&services(report));
    }
    let limits = escaped(&serde_json::to_string_pretty(&public["limits"]).unwrap_or_default());
    let _ = write!(body, "<h2>Limits</h2><pre><code>{limits}</code></pre>");
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Twinlane doctor</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"/favicon.svg\">\
         <link rel=\"stylesheet\" href=\"/style.css\"><link rel=\"stylesheet\" href=\"/doctor.css\"></head>\
         <body><main>{body}</main></body></html>"
    )
}

fn headline(report: &Report) -> String {
    let count = |weight| report.findings.iter().filter(|finding| finding.weight == weight).count();
    match (report.whole, count(Weight::Wrong), count(Weight::Mind)) {
        (false, ..) => "What anybody may know".to_owned(),
        (true, 0, 0) => "All is well".to_owned(),
        (true, 0, mind) => format!("All is well, {mind} to mind"),
        (true, wrong, _) => format!("{wrong} to put right"),
    }
}

fn services(report: &Report) -> String {
    let mut text =
        String::from("<h2>Services</h2><table><tr><th>Alias</th><th>Host</th><th>Server's key</th></tr>");
    for (alias, host, key) in &report.services {
        let key = if *key { "yes" } else { "no" };
        let _ = write!(text, "<tr><td>{}</td><td>{}</td><td>{key}</td></tr>", escaped(alias), escaped(host));
    }
    let names = report.settings.iter().map(|name| escaped(name)).collect::<Vec<_>>().join(" ");
    let _ = write!(
        text,
        "</table><h2>Settings read</h2><p><code>{}</code></p>",
        if names.is_empty() { "none" } else { &names }
    );
    text
}

/// Text that is only text in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Finding, Report, Weight};

    #[test]
    fn what_an_operator_named_is_only_text_on_the_page() {
        let finding = Finding { weight: Weight::Wrong, area: "settings", told: "<script>".to_owned() };
        let public = json!({ "platform": "local", "env": "\"><i>" });
        let services = vec![("a&b".to_owned(), "h".to_owned(), true)];
        let report = Report { whole: true, public, findings: vec![finding], services, settings: Vec::new() };
        let page = super::page(&report);
        assert!(
            page.contains("&lt;script&gt;") && page.contains("a&amp;b") && page.contains("1 to put right")
        );
        assert!(!page.contains("<script") && !page.contains("<i>"));
    }
}
