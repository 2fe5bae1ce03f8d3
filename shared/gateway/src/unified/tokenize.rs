//! `/v1/tokenize`: how many tokens a text or a conversation has for a model, and which.

use http::Response;
use serde_json::{Value, json};
use twinlane_tokens::{Count, Tokenizers};

use super::counting::marked;
use super::plan::Plan;
use crate::Error;
use crate::body::Body;
use crate::gateway::Gateway;
use crate::pages::json_page;

/// What is to be counted.
#[derive(Debug, PartialEq, Eq)]
enum Input {
    Text(String),
    Texts(Vec<String>),
    /// A conversation in OpenAI's format.
    Chat(Value),
}

impl Gateway {
    /// The page.
    ///
    /// # Errors
    /// [`Error::Unfit`] for a body without a model, or with nothing to count.
    pub(super) async fn tokenize(&self, plan: &Plan) -> Result<Response<Body>, Error> {
        let mut body = plan.json()?;
        let asked = body["model"].as_str().filter(|model| !model.is_empty());
        let asked = asked.ok_or_else(|| missing("model", "The name of a model is needed"))?.to_owned();
        let input = Input::of(&mut body)?;
        let model = self.provider_s_name(&asked);
        let (tokens, count) = self.counting.run(move |tokenizers| input.counted(tokenizers, &model)).await?;
        let page = json!({ "model": asked, "tokens": tokens, "count": count.tokens, "exact": count.exact });
        Ok(marked(json_page(&page), count))
    }

    /// The name of the model that is tried first. What is before its last slash tells no tokenizer.
    fn provider_s_name(&self, model: &str) -> String {
        let targets = self.rules().targets(model, None).unwrap_or_default();
        targets.into_iter().next().map_or_else(|| model.to_owned(), |target| target.model)
    }
}

impl Input {
    /// Reads the input: a string, strings, messages; or a whole chat request.
    fn of(body: &mut Value) -> Result<Self, Error> {
        match body.get_mut("input").map(Value::take) {
            Some(Value::String(text)) => Ok(Self::Text(text)),
            Some(Value::Array(messages)) if !messages.is_empty() && messages.iter().all(Value::is_object) => {
                Ok(Self::Chat(json!({ "messages": messages })))
            }
            Some(Value::Array(texts)) => {
                let texts: Option<_> = texts.into_iter().map(text).collect();
                texts
                    .map(Self::Texts)
                    .ok_or_else(|| missing("input", "The input holds something that is no string"))
            }
            None | Some(Value::Null) => Self::whole(body),
            Some(_) => Err(nothing()),
        }
    }

    /// A whole chat request, whose messages stand where they always do.
    fn whole(body: &mut Value) -> Result<Self, Error> {
        let messages = body["messages"].as_array().ok_or_else(nothing)?;
        if !messages.iter().all(Value::is_object) {
            return Err(missing("messages", "The messages hold something that is none"));
        }
        Ok(Self::Chat(body.take()))
    }

    /// The tokens, where the tokenizer is known and the text is all there is, and their number.
    fn counted(&self, tokenizers: &Tokenizers, model: &str) -> (Value, Count) {
        match self {
            Self::Text(text) => tokenized(tokenizers, model, text),
            Self::Texts(texts) => {
                let each = texts.iter().map(|text| tokenized(tokenizers, model, text));
                let (tokens, counts): (Vec<Value>, Vec<Count>) = each.unzip();
                let all = tokens.iter().all(Value::is_array).then(|| tokens.into());
                let none = Count { tokens: 0, exact: true };
                (all.unwrap_or_default(), counts.into_iter().fold(none, std::ops::Add::add))
            }
            Self::Chat(chat) => (Value::Null, tokenizers.prompt(model, chat)),
        }
    }
}

fn tokenized(tokenizers: &Tokenizers, model: &str, text: &str) -> (Value, Count) {
    match tokenizers.encode(model, text) {
        Some(ids) => {
            let count = Count { tokens: ids.len() as u64, exact: true };
            (ids.into(), count)
        }
        None => (Value::Null, tokenizers.count(model, text)),
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn nothing() -> Error {
    missing("input", "A string, a list of strings or a list of messages is needed")
}

fn missing(param: &str, message: &str) -> Error {
    Error::unfit("missing_required_parameter", Some(param), message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use twinlane_tokens::Tokenizers;

    use super::Input;

    fn check(model: &str, mut body: Value, tokens: &Value, count: u64, exact: bool) {
        let (found, counted) =
            Input::of(&mut body).expect("an input").counted(&Tokenizers::embedded(), model);
        assert_eq!((&found, counted.tokens, counted.exact), (tokens, count, exact), "{model}");
    }

    #[test]
    fn texts_are_cut_where_the_tokenizer_is_known_and_estimated_where_not() {
        let great = [83, 8251, 2488, 382, 2212, 0];
        check("gpt-4o", json!({ "input": "tiktoken is great!" }), &json!(great), 6, true);
        check("gpt-4o", json!({ "input": ["tiktoken is great!", ""] }), &json!([great, []]), 6, true);
        check("gpt-4o", json!({ "input": [] }), &json!([]), 0, true);
        check("gemini-3", json!({ "input": "tiktoken is great!" }), &Value::Null, 6, false);
    }

    #[test]
    fn a_conversation_is_counted_with_what_holds_it_together() {
        let messages = json!([{ "role": "user", "content": "tiktoken is great!" }]);
        check("gpt-4o", json!({ "input": messages }), &Value::Null, 6 + 1 + 3 + 3, true);
        check("gpt-4o", json!({ "messages": messages }), &Value::Null, 6 + 1 + 3 + 3, true);
    }

    #[test]
    fn what_cannot_be_counted_is_named() {
        for mut body in [
            json!({}),
            json!({ "input": 1 }),
            json!({ "input": ["a", 1] }),
            json!({ "input": [{}, "a"] }),
            json!({ "messages": "x" }),
            json!({ "messages": [["x"]] }),
        ] {
            assert!(Input::of(&mut body).is_err(), "{body}");
        }
    }
}
