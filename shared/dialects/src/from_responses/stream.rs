//! The stream: chat's chunks as the events of a response.

use serde_json::{Map, Value, json};

use super::output::{self, Status};
use super::reply;
use crate::asked::Asked;
use crate::errors::Told;
use crate::gathered::{Block, Finish, Gathered, Kind, Step};
use crate::piece::{FromChat, Piece};
use crate::sse;

/// Writes the stream. What looks whole at its end is whole: `response.completed` comes only after a finish.
#[derive(Debug)]
pub struct Stream {
    asked: Asked,
    gathered: Gathered,
    events: Events,
    is_over: bool,
}

impl FromChat for Stream {
    fn piece(&mut self, piece: Piece, out: &mut Vec<u8>) {
        if self.is_over {
            return;
        }
        match piece {
            Piece::Chunk(chunk) => self.chunk(&chunk, out),
            Piece::Ping => out.extend_from_slice(b": keep-alive\n"),
            Piece::Done => self.done(out),
            Piece::Failed(told) => self.fail(&told, out),
        }
    }
}

impl Stream {
    pub(super) fn new(asked: Asked) -> Self {
        Self { asked, gathered: Gathered::default(), events: Events::default(), is_over: false }
    }

    fn chunk(&mut self, chunk: &Value, out: &mut Vec<u8>) {
        if let Err(told) = self.gathered.chunk(chunk) {
            return self.fail(&told, out);
        }
        self.begin(out);
        self.write(false, out);
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if self.events.next > 0 {
            return;
        }
        let response = reply::begun(&self.gathered, &self.asked);
        self.events.write("response.created", json!({ "response": &response }), out);
        self.events.write("response.in_progress", json!({ "response": response }), out);
    }

    fn done(&mut self, out: &mut Vec<u8>) {
        let finish = match self.gathered.outcome() {
            Ok(finish) => finish,
            Err(told) => return self.fail(&told, out),
        };
        self.write(true, out);
        let response = reply::ended(&self.gathered, finish, &self.asked);
        let name = match finish {
            Finish::Stop | Finish::Calls => "response.completed",
            Finish::Length => "response.incomplete",
            Finish::Filtered => "response.failed",
        };
        self.events.write(name, json!({ "response": response }), out);
        self.is_over = true;
    }

    fn fail(&mut self, told: &Told, out: &mut Vec<u8>) {
        self.begin(out);
        let response = reply::failed(&self.gathered, told, &self.asked);
        self.events.write("response.failed", json!({ "response": response }), out);
        self.is_over = true;
    }

    fn write(&mut self, is_over: bool, out: &mut Vec<u8>) {
        while let Some(step) = self.gathered.blocks.step(is_over) {
            self.step(step, out);
        }
    }

    fn step(&mut self, step: Step, out: &mut Vec<u8>) {
        let blocks = self.gathered.blocks.all();
        let (Step::Begin(at) | Step::More(at, _) | Step::End(at)) = step;
        let block = &blocks[at];
        let place = Place { id: output::id(block, at, &self.asked), at, block };
        match step {
            Step::Begin(_) => {
                let item = output::item(block, at, Status::InProgress, &self.asked);
                self.events.write(
                    "response.output_item.added",
                    json!({ "output_index": at, "item": item }),
                    out,
                );
                self.events.write_part(&place, "added", "", out);
            }
            // What is in a JSON string can be told once the string is whole.
            Step::More(..) if output::is_custom(block, &self.asked) => {}
            Step::More(_, text) => self.events.write_delta(&place, &text, out),
            Step::End(_) => {
                let is_cut = self.gathered.finish == Some(Finish::Length) && at + 1 == blocks.len();
                let status = if is_cut { Status::Incomplete } else { Status::Completed };
                let item = output::item(block, at, status, &self.asked);
                self.events.write_whole(&place, &item, out);
                self.events.write(
                    "response.output_item.done",
                    json!({ "output_index": at, "item": item }),
                    out,
                );
            }
        }
    }
}

/// The block that an event is about.
struct Place<'a> {
    id: String,
    at: usize,
    block: &'a Block,
}

/// Numbers the events.
#[derive(Debug, Default)]
struct Events {
    next: u64,
}

impl Events {
    fn write(&mut self, name: &str, fields: Value, out: &mut Vec<u8>) {
        let mut event = Map::new();
        event.insert("type".to_owned(), name.into());
        event.insert("sequence_number".to_owned(), self.next.into());
        if let Value::Object(fields) = fields {
            event.extend(fields);
        }
        self.next += 1;
        sse::write_typed(&Value::Object(event), out);
    }

    /// More of a block's text.
    fn write_delta(&mut self, place: &Place<'_>, text: &str, out: &mut Vec<u8>) {
        let mut fields = place.fields();
        fields["delta"] = text.into();
        if place.block.kind == Kind::Text {
            fields["logprobs"] = json!([]);
        }
        self.write(&format!("response.{}.delta", place.name()), fields, out);
    }

    /// The whole of a block's text, which clients take rather than the sum of its deltas.
    fn write_whole(&mut self, place: &Place<'_>, item: &Value, out: &mut Vec<u8>) {
        if item["type"] == "custom_tool_call" {
            return self.write_input(place, &item["input"], out);
        }
        if place.block.call().is_some() && place.block.text.trim().is_empty() {
            self.write_delta(place, output::arguments(""), out);
        }
        let mut fields = place.fields();
        match &place.block.kind {
            Kind::Call(call) => {
                fields["name"] = call.name.as_str().into();
                fields["arguments"] = item["arguments"].clone();
            }
            Kind::Refusal => fields["refusal"] = place.block.text.as_str().into(),
            Kind::Thinking(_) => fields["text"] = place.block.text.as_str().into(),
            Kind::Text => {
                fields["text"] = place.block.text.as_str().into();
                fields["logprobs"] = json!([]);
            }
        }
        self.write(&format!("response.{}.done", place.name()), fields, out);
        self.write_part(place, "done", &place.block.text, out);
    }

    fn write_input(&mut self, place: &Place<'_>, input: &Value, out: &mut Vec<u8>) {
        for (name, field) in [("delta", "delta"), ("done", "input")] {
            let mut fields = place.fields();
            fields[field] = input.clone();
            self.write(&format!("response.custom_tool_call_input.{name}"), fields, out);
        }
    }

    /// The part inside of a message or a thought. Without its event, OpenAI's SDK has nothing to add text to.
    fn write_part(&mut self, place: &Place<'_>, what: &str, text: &str, out: &mut Vec<u8>) {
        let name = match &place.block.kind {
            Kind::Call(_) => return,
            Kind::Thinking(_) => "reasoning_summary_part",
            Kind::Text | Kind::Refusal => "content_part",
        };
        let mut fields = place.fields();
        fields["part"] = output::part(place.block, text);
        self.write(&format!("response.{name}.{what}"), fields, out);
    }
}

impl Place<'_> {
    fn fields(&self) -> Value {
        let mut fields = json!({ "item_id": self.id, "output_index": self.at });
        match &self.block.kind {
            Kind::Text | Kind::Refusal => fields["content_index"] = 0.into(),
            Kind::Thinking(_) => fields["summary_index"] = 0.into(),
            Kind::Call(_) => {}
        }
        fields
    }

    /// The middle of the names of the events that carry its text.
    fn name(&self) -> &'static str {
        match &self.block.kind {
            Kind::Text => "output_text",
            Kind::Refusal => "refusal",
            Kind::Thinking(_) => "reasoning_summary_text",
            Kind::Call(_) => "function_call_arguments",
        }
    }
}
