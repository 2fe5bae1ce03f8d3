use std::sync::Arc;

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{Request, Response};
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::{Value, json};
use twinlane_store::{Filter, Store, UsageRecord};
use twinlane_store_memory::{Bounds, Memory};

use super::group::Group;
use super::report::Report;
use super::walk::Walk;
use super::when::DAY;
use crate::Platform;
use crate::body::Body;
use crate::config::Config;
use crate::gateway::{Gateway, Role};
use crate::log::Logger;

/// The morning of 2026-11-21.
const NOW: u64 = 1_795_248_000_000;

fn record(id: &str, ago: u64, model: &str, rest: Value) -> UsageRecord {
    let Value::Object(rest) = rest else { panic!("an object") };
    let (service, token) = (Some("p".to_owned()), Some("t-1".to_owned()));
    let model = Some(model.to_owned());
    UsageRecord {
        id: id.to_owned(),
        time: NOW - ago,
        token,
        service,
        model,
        status: 200,
        rest: rest.into(),
        ..UsageRecord::default()
    }
}

async fn store(records: &[UsageRecord]) -> Arc<dyn Store> {
    let memory = Memory::new(Bounds { records: 200_000, ..Bounds::default() });
    for record in records {
        memory.append(record, None).await.unwrap();
    }
    Arc::new(memory)
}

/// Ten calls of two models on two days, of which one failed.
fn ten() -> Vec<UsageRecord> {
    let call = |n: u64| {
        let cost = if n == 3 { Value::Null } else { json!(0.1) };
        let rest = json!({
            "provider": "p", "outcome": if n == 4 { "truncated" } else { "complete" }, "cost": cost,
            "tokens_in": 10, "tokens_out": n, "first_byte_ms": n, "total_ms": n * 10,
            "request": { "body": "a prompt" },
        });
        let ago = if n < 4 { DAY + n } else { n };
        record(&format!("id-{n}"), ago, if n.is_multiple_of(5) { "big" } else { "small" }, rest)
    };
    (0..10).map(call).collect()
}

async fn page(records: &[UsageRecord], target: &str, accept: &str) -> Result<Response<Body>, crate::Error> {
    let nothing: [(&str, &str); 0] = [];
    let config = Config::read(nothing, Platform::Local).unwrap();
    let gateway =
        Gateway::new(Arc::new(config), Role::Gateway, Arc::new(Logger)).keeping(store(records).await);
    let request = Request::builder().uri(target).header("accept", accept).body(()).unwrap();
    let head = request.into_parts().0;
    super::answer(&gateway, head.uri.clone().path(), &head).await
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn json(records: &[UsageRecord], target: &str) -> Value {
    let answer = page(records, target, "*/*").await.expect(target);
    serde_json::from_str(&text(answer).await).expect(target)
}

/// Pages judge by the real clock: the spans of these tests are given.
const SPAN: &str = "from=2026-11-01&to=2026-11-22";

#[tokio::test]
async fn rows_and_total_are_the_sums_of_the_calls() {
    let answer = json(&ten(), &format!("/admin/usage?{SPAN}&group=day,model")).await;
    let rows: Vec<Value> = answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            json!([row["day"], row["model"], row["calls"], row["tokens_out"], row["cost"], row["errors"]])
        })
        .collect();
    let expected = json!([
        ["2026-11-21", "small", 5, 4 + 6 + 7 + 8 + 9, 0.5, 1],
        ["2026-11-21", "big", 1, 5, 0.1, 0],
        ["2026-11-20", "small", 3, 6, 0.2, 0],
        ["2026-11-20", "big", 1, 0, 0.1, 0],
    ]);
    assert_eq!(Value::from(rows), expected);
    let total = &answer["total"];
    assert_eq!(
        (&total["calls"], &total["cost"], &total["cost_unknown"]),
        (&json!(10), &json!(0.9), &json!(1))
    );
    assert_eq!(total["total_ms"], json!({ "p50": 40, "p90": 80, "p99": 90 }));
    let told = (&answer["truncated"], &answer["rows_left_out"], &answer["complete_since"]);
    assert_eq!(told, (&json!(false), &json!(0), &json!("2026-11-01T00:00:00.000Z")));
}

#[tokio::test]
async fn every_group_and_filter_holds() {
    let mut records = ten();
    records[0].session = Some("s-1".to_owned());
    records[1].status = 429;
    for (query, calls) in [
        ("group=none", 10),
        ("model=big", 2),
        ("service=p&token=t-1", 10),
        ("service=q", 0),
        ("session=s-1", 1),
        ("status=429", 1),
        ("model=BIG", 0),
    ] {
        let answer = json(&records, &format!("/admin/usage?{SPAN}&{query}")).await;
        assert_eq!((&answer["total"]["calls"], &answer["rows"]), (&json!(calls), &json!([])), "{query}");
    }
    for (group, first, rows) in [
        ("status", json!(200), 2),
        ("outcome", json!("complete"), 2),
        ("provider", json!("p"), 1),
        ("session", Value::Null, 2),
        ("token", json!("t-1"), 1),
    ] {
        let answer = json(&records, &format!("/admin/usage?{SPAN}&group={group}")).await;
        assert_eq!(answer["rows"][0][group], first, "{group}");
        assert_eq!(answer["rows"].as_array().unwrap().len(), rows, "{group}");
    }
    let cut = json(&records, &format!("/admin/usage?{SPAN}&group=day,model&limit=3")).await;
    assert_eq!((&cut["rows_left_out"], &cut["total"]["calls"]), (&json!(1), &json!(10)));
}

#[tokio::test]
async fn the_pages_of_calls_are_all_calls_once_and_newest_first() {
    let records = ten();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = json(&records, &format!("/admin/calls?{SPAN}&limit=3{cursor}")).await;
        for call in answer["calls"].as_array().unwrap() {
            assert!(call["request"].is_null(), "bodies are on a call's own page: {call}");
            seen.push(call["id"].as_str().unwrap().to_owned());
        }
        let Some(next) = answer["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["id-4", "id-5", "id-6", "id-7", "id-8", "id-9", "id-0", "id-1", "id-2", "id-3"]);
}

#[tokio::test]
async fn a_tail_has_the_calls_that_ended_since_whenever_they_came_in() {
    let long = record("long", 60_000, "m", json!({ "total_ms": 59_000 }));
    let short = record("short", 30_000, "m", json!({ "total_ms": 10 }));
    let records = [long, short, record("new", 500, "m", json!({ "total_ms": 10 }))];
    let answer = json(&records, &format!("/admin/calls?after={}&to=2026-11-22", NOW - 2_000)).await;
    let ids: Vec<&str> =
        answer["calls"].as_array().unwrap().iter().map(|call| call["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["new", "long"]);
    let first = json(&records, &format!("/admin/calls?after={}&to=2026-11-22&limit=1", NOW - 2_000)).await;
    let next = first["next"].as_str().expect("more");
    let target = format!("/admin/calls?after={}&to=2026-11-22&limit=1&cursor={next}", NOW - 2_000);
    assert_eq!(json(&records, &target).await["calls"][0]["id"], "long");
}

#[tokio::test]
async fn a_call_has_a_page_with_its_bodies() {
    let call = json(&ten(), "/admin/calls/id%2D7").await;
    assert_eq!((&call["total_ms"], &call["request"]["body"]), (&json!(70), &json!("a prompt")));
    for target in ["/admin/calls/id-77", "/admin/calls/", "/admin/calls/id-7/x"] {
        let error = page(&ten(), target, "*/*").await.expect_err(target);
        assert_eq!((error.status().as_u16(), error.code()), (404, "unknown_call"), "{target}");
    }
}

#[tokio::test]
async fn a_bad_parameter_is_refused_by_name() {
    for (target, param) in [
        ("/admin/usage?modle=x", "modle"),
        ("/admin/usage?cursor=1795248000000_x", "cursor"),
        ("/admin/usage?model=", "model"),
        ("/admin/usage?model=a&model=b", "model"),
        ("/admin/usage?from=yesterday", "from"),
        ("/admin/usage?from=2026-11-02&to=2026-11-01", "to"),
        ("/admin/usage?status=4xx", "status"),
        ("/admin/usage?group=modle", "group"),
        ("/admin/usage?group=day,day", "group"),
        ("/admin/usage?limit=0", "limit"),
        ("/admin/usage?format=xml", "format"),
        ("/admin/calls?limit=1001", "limit"),
        ("/admin/calls?limit=100001&format=csv", "limit"),
        ("/admin/calls?cursor=x", "cursor"),
        ("/admin/calls?after=soon", "after"),
        ("/admin/calls?after=2026-11-21&format=csv", "after"),
        ("/admin/calls?group=day", "group"),
        ("/admin/calls/id-1?format=csv", "format"),
    ] {
        let error = page(&[], target, "*/*").await.expect_err(target);
        let told = error.json(crate::route::Surface::Gateway, "id");
        assert_eq!((&told["status"], &told["error"]["param"]), (&json!(400), &json!(param)), "{told}");
    }
}

#[tokio::test]
async fn a_table_of_sums_is_csv_for_whoever_asks_for_it() {
    for (query, accept) in [("&format=csv", "*/*"), ("", "text/csv")] {
        let target = format!("/admin/usage?{SPAN}&group=model{query}");
        let answer = page(&ten(), &target, accept).await.unwrap();
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/csv; charset=utf-8; header=present");
        let name = "attachment; filename=\"twinlane-usage-2026-11-01-to-2026-11-22.csv\"";
        assert_eq!(answer.headers()[CONTENT_DISPOSITION], name);
        let text = text(answer).await;
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert!(lines[0].starts_with("model,calls,errors,tokens_in,"), "{text}");
        assert!(lines[1].starts_with("small,8,1,80,") && lines[2].starts_with("big,2,0,20,"), "{text}");
        assert_eq!(lines.len(), 4, "{text}");
    }
    let cut =
        page(&ten(), &format!("/admin/usage?{SPAN}&group=model&format=csv&limit=1"), "*/*").await.unwrap();
    assert_eq!(cut.headers()["x-usage-rows-left-out"], "1");
}

#[tokio::test]
async fn a_table_of_calls_goes_on_beyond_a_page_and_names_what_callers_choose_harmlessly() {
    let call =
        |n: u64| record(&format!("id-{n:04}"), n, "=1+1", json!({ "fallbacks": ["a: 500", "b: 503"] }));
    let records: Vec<UsageRecord> = (0..450).map(call).collect();
    let answer = page(&records, &format!("/admin/calls?{SPAN}&format=csv&limit=420"), "*/*").await.unwrap();
    let text = text(answer).await;
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 421);
    assert_eq!(lines[1].split(',').take(2).collect::<Vec<_>>(), ["id-0000", "2026-11-21T08:00:00.000Z"]);
    assert!(lines[1].contains(",'=1+1,") && lines[1].contains("\"a: 500; b: 503\""), "{}", lines[1]);
    let (time, id) = ("2026-11-21T07:59:59.581Z", "id-0419");
    assert!(lines[420].starts_with(&format!("{id},{time},")), "{}", lines[420]);
    let rest = json(&records, &format!("/admin/calls?{SPAN}&cursor={time}_{id}")).await;
    assert_eq!((rest["calls"].as_array().unwrap().len(), &rest["calls"][0]["id"]), (30, &json!("id-0420")));
}

#[tokio::test]
async fn what_one_question_may_not_read_is_told() {
    let records: Vec<UsageRecord> =
        (0..100_050).map(|n| record(&format!("{n:06}"), n / 2, "m", json!({}))).collect();
    let answer = json(&records, &format!("/admin/usage?{SPAN}")).await;
    assert_eq!((&answer["truncated"], &answer["total"]["calls"]), (&json!(true), &json!(100_000)));
    assert_eq!(answer["complete_since"], "2026-11-21T07:59:10.002Z");
    let table = page(&records, &format!("/admin/usage?{SPAN}&format=csv"), "*/*").await.unwrap();
    assert_eq!(table.headers()["x-usage-complete-since"], "2026-11-21T07:59:10.002Z");
}

fn any_record() -> impl Strategy<Value = UsageRecord> {
    let rest = (0..500_u32, 0..3000_u64, any::<bool>());
    ("[a-e]{1,6}", 0..50_u64, "[mn]", rest, prop_oneof![Just(200_u16), Just(500)]).prop_map(
        |(id, ago, model, (cost, total, estimated), status)| {
            let rest = json!({ "cost": f64::from(cost) / 1e9, "total_ms": total, "estimated": estimated });
            UsageRecord { status, ..record(&id, ago, &model, rest) }
        },
    )
}

proptest! {
    #[test]
    fn the_sums_do_not_depend_on_where_the_pages_end(
        records in prop::collection::vec(any_record(), 0..40),
        first in 1..40_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let store = store(&records).await;
            let groups = [Group::Model, Group::Status];
            let mut whole = Walk::through(&store, Filter::default(), None, 1000);
            let whole = Report::of(&mut whole, &groups).await.unwrap();
            let mut head = Walk::through(&store, Filter::default(), None, first);
            let mut read = Vec::new();
            while let Some(page) = head.page().await.unwrap() {
                read.extend(page);
            }
            let mut rest = Walk::through(&store, Filter::default(), head.next().cloned(), 1000);
            while let Some(page) = rest.page().await.unwrap().filter(|_| head.next().is_some()) {
                read.extend(page);
            }
            let again = self::store(&read).await;
            let mut again = Walk::through(&again, Filter::default(), None, 1000);
            let again = Report::of(&mut again, &groups).await.unwrap();
            prop_assert_eq!(read.len() as u64, whole.total.calls);
            prop_assert_eq!(again.rows, whole.rows);
            Ok(())
        })?;
    }
}
