//! A chat request, written as a messages request.

use serde_json::{Value, json};

use super::conversation::{self, Conversation};
use super::draft::Draft;
use super::format::{self, Format};
use super::models::{self, Model, Thinking};
use super::names::Names;
use super::thinking::{self, Effort, Plan, Situation};
use super::tools::{self, Tools};
use super::{JSON_TOOL, content, object, sampling, schema};
use crate::asked::Asked;
use crate::field::{self, Object};
use crate::target::{Outgoing, Refusal, Target};

/// The longest name of a tool.
const LONGEST_NAME: usize = 128;

/// Anthropic wants a limit; a client that sets none gets this much of what the model can write.
const DEFAULT_OUTPUT: u64 = 8192;

/// Writes a chat request as a messages request.
///
/// # Errors
/// A [`Refusal`] of what the messages API cannot hold without changing the answer, and of what is no chat request.
pub fn request(chat: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let model = models::named(target.model);
    let mut draft = Draft::of(chat)?;
    refuse_several_answers(&mut draft)?;
    let format = format::read(&mut draft.asked)?;
    let json_tool = matches!(format, Format::Schema(_)) && !model.schemas;
    let mut names = Names::new(LONGEST_NAME, if json_tool { &[JSON_TOOL] } else { &[] });
    let mut tools = tools::read(&mut draft.asked, &mut names, &model)?;
    let mut conversation = conversation::read(field::list(&mut draft.asked, "messages")?, &mut names)?;
    let schema = answer_in(format, &mut tools, &mut conversation, &model)?;
    tools.fit(&conversation.called, &model);

    draft.set("model", target.model);
    let plan = reasoning(&mut draft, &model, &tools, &conversation)?;
    sampling::write(&mut draft, &model, plan.thinks())?;
    sampling::stop(&mut draft)?;
    whose(&mut draft)?;
    service_tier(&mut draft)?;
    let asked = asked(&mut draft, target)?;
    write_plan(&mut draft, plan, schema);
    for name in &tools.dropped {
        draft.drop(name);
    }
    tools.write(&mut draft);
    conversation.write(&mut draft);
    Ok(draft.finished(Asked { json_tool, tool_names: names.changed(), ..asked }))
}

fn refuse_several_answers(draft: &mut Draft) -> Result<(), Refusal> {
    let why = "This model gives one answer at a time; leave `n` out.";
    match draft.count("n")? {
        None | Some(1) => Ok(()),
        Some(_) => Err(Refusal::of("n", "unsupported_parameter", why)),
    }
}

/// Has the answer take the form that is asked for, and gives the schema for structured outputs.
fn answer_in(
    format: Format,
    tools: &mut Tools,
    conversation: &mut Conversation,
    model: &Model,
) -> Result<Option<Value>, Refusal> {
    match format {
        Format::Text => Ok(None),
        Format::Object => {
            conversation.system.extend(content::text(format::OBJECT_PLEASE.to_owned()));
            Ok(None)
        }
        Format::Schema(schema) if model.schemas => Ok(Some(schema::rewritten(Value::Object(schema)))),
        Format::Schema(schema) => tools.answer_by_tool(schema).map(|()| None),
    }
}

/// Sets the limit of the answer, and decides how the model is to reason within it.
fn reasoning(
    draft: &mut Draft,
    model: &Model,
    tools: &Tools,
    conversation: &Conversation,
) -> Result<Plan, Refusal> {
    let wish = draft.text("reasoning_effort")?.map(|effort| Effort::read(&effort)).transpose()?;
    let (limit, older) = (draft.count("max_completion_tokens")?, draft.count("max_tokens")?);
    let max_tokens = limit.or(older).unwrap_or_else(|| default_limit(model, wish));
    draft.set("max_tokens", max_tokens);
    let lacks_thought = conversation.lacks_thought();
    let plan = thinking::plan(wish, model, Situation { max_tokens, forced: tools.forced(), lacks_thought });
    if plan.dropped {
        draft.drop("reasoning_effort");
    }
    Ok(plan)
}

/// Thoughts count towards the limit: where the client left it to us, they do not eat up the answer.
fn default_limit(model: &Model, wish: Option<Effort>) -> u64 {
    let thoughts = wish.filter(|_| model.thinking != Thinking::None).map_or(0, Effort::budget);
    model.max_output.min(DEFAULT_OUTPUT + thoughts)
}

/// On whose behalf the call is made.
fn whose(draft: &mut Draft) -> Result<(), Refusal> {
    let (user, identifier) = (draft.text("user")?, draft.text("safety_identifier")?);
    if let Some(user) = user.or(identifier) {
        draft.set("metadata", json!({ "user_id": user }));
    }
    Ok(())
}

fn service_tier(draft: &mut Draft) -> Result<(), Refusal> {
    match draft.text("service_tier")?.as_deref() {
        Some("auto") => draft.set("service_tier", "auto"),
        Some("default") => draft.set("service_tier", "standard_only"),
        Some(_) => draft.drop("service_tier"),
        None => {}
    }
    Ok(())
}

/// What the reply is written by.
fn asked(draft: &mut Draft, target: &Target<'_>) -> Result<Asked, Refusal> {
    field::take(&mut draft.asked, "model");
    let stream = field::flag(&mut draft.asked, "stream")?;
    let options = field::take(&mut draft.asked, "stream_options").unwrap_or_default();
    if stream {
        draft.set("stream", true);
    }
    Ok(Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        stream,
        include_usage: options["include_usage"] == true,
        ..Asked::default()
    })
}

fn write_plan(draft: &mut Draft, plan: Plan, schema: Option<Value>) {
    if let Some(thinking) = plan.thinking {
        draft.set("thinking", thinking);
    }
    let mut output = Object::new();
    if let Some(effort) = plan.effort {
        output.insert("effort".to_owned(), effort.into());
    }
    if let Some(schema) = schema {
        let format = object([("type", "json_schema".into()), ("schema", schema)]);
        output.insert("format".to_owned(), format);
    }
    if !output.is_empty() {
        draft.set("output_config", output);
    }
}
