//! Files, kept in memory and given back byte for byte.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;
use http::header;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::multipart::Form;
use crate::reply::Reply;
use crate::routes::unknown;
use crate::seen::locked;

/// The oldest files are forgotten beyond this many…
const MOST_FILES: usize = 1_000;
/// …and beyond this many bytes, but never the newest.
const MOST_BYTES: usize = 512 << 20;

/// The files of one demo, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<VecDeque<File>>);

#[derive(Debug, Clone)]
struct File {
    id: String,
    name: String,
    purpose: String,
    created: u64,
    data: Bytes,
}

/// Answers `/v1/files…`; `path` is what follows that.
pub(crate) fn reply(shelf: &Shelf, call: &Call, path: &[&str]) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        ("POST", []) => shelf.put(file(call)?),
        ("GET", []) => Ok(shelf.list()),
        ("GET", [id]) => Ok(Reply::json(&shelf.find(id)?.object())),
        ("GET", [id, "content"]) => shelf.find(id).map(content),
        ("DELETE", [id]) => shelf.delete(id),
        _ => Err(unknown(call)),
    }
}

impl Shelf {
    fn put(&self, file: File) -> Result<Reply, Refusal> {
        let reply = Reply::json(&file.object());
        let mut files = locked(&self.0);
        files.push_back(file);
        let mut bytes: usize = files.iter().map(|file| file.data.len()).sum();
        while files.len() > MOST_FILES || (bytes > MOST_BYTES && files.len() > 1) {
            bytes -= files.pop_front().map_or(0, |file| file.data.len());
        }
        Ok(reply)
    }

    fn list(&self) -> Reply {
        let data: Value = locked(&self.0).iter().rev().map(File::object).collect();
        Reply::json(&json!({"object": "list", "data": data, "has_more": false}))
    }

    fn find(&self, id: &str) -> Result<File, Refusal> {
        locked(&self.0).iter().find(|file| file.id == id).cloned().ok_or_else(|| missing(id))
    }

    fn delete(&self, id: &str) -> Result<Reply, Refusal> {
        self.find(id)?;
        locked(&self.0).retain(|file| file.id != id);
        Ok(Reply::json(&json!({"id": id, "object": "file", "deleted": true})))
    }
}

impl File {
    fn object(&self) -> Value {
        json!({
            "id": self.id, "object": "file", "bytes": self.data.len(), "created_at": self.created,
            "filename": self.name, "purpose": self.purpose, "status": "processed", "expires_at": null,
        })
    }
}

fn file(call: &Call) -> Result<File, Refusal> {
    let form = Form::read(call)?;
    let part = form.file("file")?;
    Ok(File {
        id: call.id("file-"),
        name: part.filename.clone().unwrap_or_else(|| "file".to_owned()),
        purpose: form.text("purpose").ok_or_else(|| Refusal::missing("purpose"))?,
        created: call.at,
        data: part.data.clone(),
    })
}

fn content(file: File) -> Reply {
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    Reply::bytes("application/octet-stream", file.data).with(header::CONTENT_DISPOSITION, disposition)
}

fn missing(id: &str) -> Refusal {
    Refusal::not_found(format!("No such File object: {id}"))
}
