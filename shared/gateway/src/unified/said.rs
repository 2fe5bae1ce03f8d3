//! A plan in the words of one provider: passed as it came where the provider speaks the client's format, translated
//! where it does not.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::Value;
use twinlane_dialects as dialects;
use twinlane_dialects::dialect::Dialect;
use twinlane_dialects::translation::{self, ReplyTranslation};
use twinlane_dialects::{
    Asked, Outgoing, Target as At, quirks, to_compatible, to_gemini, to_onemin, to_workers_ai,
};

use super::ask::{self, Fields};
use super::draft::Draft;
use super::endpoint::{Action, Endpoint};
use super::plan::Plan;
use super::targets::Target;
use crate::Error;
use crate::route::below_function;
use crate::services::{Format, formats};

/// A request as one provider takes it.
#[derive(Debug)]
pub struct Said {
    /// The path below the provider, as its clients know it.
    pub path: String,
    /// The query.
    pub query: Option<String>,
    /// The body.
    pub body: Bytes,
    /// How the reply becomes the client's.
    pub how: How,
    /// The client's parameters that the provider does not have.
    pub dropped: Vec<String>,
}

/// How a provider's reply becomes the client's.
#[derive(Debug)]
pub enum How {
    /// As it is, but for an error in another provider's words.
    Passed,
    /// Through a codec.
    Translated(Box<ReplyTranslation>),
    /// Google's embeddings as OpenAI's.
    GeminiEmbeddings(Box<Asked>),
    /// Cloudflare's image as OpenAI's.
    WorkersAiImage(Box<Asked>),
    /// 1min.ai's images as OpenAI's.
    OneMinImages(Box<Asked>),
}

/// Says a plan in a provider's words but for its images.
///
/// # Errors
/// [`Error::Unfit`] where the provider cannot be asked for this.
pub fn draft(plan: &Plan, target: &Target) -> Result<Draft, Error> {
    let teller = Teller { plan, target };
    match &plan.endpoint {
        Endpoint::Conversation(client) => return teller.conversation(*client),
        Endpoint::Gemini { action: Action::Generate | Action::Stream, .. } => {
            return teller.conversation(Dialect::Gemini);
        }
        Endpoint::CountTokens => teller.native(Format::CountTokens),
        Endpoint::Embeddings => teller.embeddings(),
        Endpoint::Images => teller.images(),
        Endpoint::Gemini { .. } => teller.gemini_action(),
        _ => Ok(teller.as_it_came(below_function(&plan.received.path).to_owned())),
    }
    .map(Draft::Said)
}

/// Tells one provider of a plan.
pub(super) struct Teller<'a> {
    pub(super) plan: &'a Plan,
    pub(super) target: &'a Target,
}

impl Teller<'_> {
    fn conversation(&self, client: Dialect) -> Result<Draft, Error> {
        let spoken = self.target.service.spoken_of(&self.target.model);
        if let Some(path) =
            formats::path_of(spoken, Format::Conversation(client)).filter(|_| self.may_pass(client))
        {
            return self.passed(client, path);
        }
        let (provider, path) = formats::own_conversation(spoken).ok_or_else(|| self.unable("converse"))?;
        self.in_chat(client, provider, path)
    }

    fn passed(&self, client: Dialect, path: &str) -> Result<Draft, Error> {
        if client == Dialect::Gemini {
            return Ok(Draft::Said(self.as_it_came(self.gemini_path()?)));
        }
        if self.may_need_images() {
            return Ok(Draft::Native { path: path.to_owned(), body: self.plan.json()? });
        }
        Ok(Draft::Said(self.as_it_came(path.to_owned())))
    }

    /// Whether a body that could pass as it is may name images that the provider does not fetch: a look at its bytes.
    fn may_need_images(&self) -> bool {
        let has = |word: &str| memchr::memmem::find(&self.plan.received.body, word.as_bytes()).is_some();
        // A URL's slashes may be escaped, and its scheme be in capitals. No base64 has a colon.
        let links = ["http:", "https:", "HTTP:", "HTTPS:"];
        !self.target.service.fetches_images && has("\"image") && links.into_iter().any(has)
    }

    /// Whether a provider that speaks the client's format can be sent what the client said, byte for byte.
    fn may_pass(&self, client: Dialect) -> bool {
        let quirks = self.quirks();
        let fields = || Fields::of(&self.plan.received.body).unwrap_or_default();
        client != Dialect::Chat || !to_compatible::needs_adapting(quirks, fields().names())
    }

    /// How the reply to the client's own words comes back: as it is, but from a provider of chat that is known to take
    /// liberties, or not known.
    fn natively(&self) -> How {
        if self.plan.endpoint != Endpoint::Conversation(Dialect::Chat) || self.quirks().clean_stream {
            return How::Passed;
        }
        // A body that is no chat request is the provider's to refuse.
        let body = self.plan.json().ok();
        let repair = body.and_then(|body| translation::repair(body, &self.at()).ok());
        repair.map_or(How::Passed, |repair| How::Translated(Box::new(repair)))
    }

    fn in_chat(&self, client: Dialect, provider: Dialect, path: &'static str) -> Result<Draft, Error> {
        let mut body = self.plan.json()?;
        if client == Dialect::Gemini {
            // Gemini's clients ask for a stream in the path.
            body["stream"] = self.plan.stream.is_asked().into();
        }
        let chat = translation::to_chat(client, provider, body, &self.at())?;
        Ok(Draft::Chat { client, provider, path, chat: Box::new(chat) })
    }

    /// Where a provider takes a conversation.
    pub(super) fn place(&self, provider: Dialect, path: &str) -> Result<(String, Option<String>), Error> {
        let stream = self.plan.stream.is_asked();
        match provider {
            Dialect::Gemini => {
                let action = if stream { "streamGenerateContent" } else { "generateContent" };
                let query = stream.then(|| "alt=sse".to_owned());
                Ok((format!("{}:{action}", self.model_in(path)?), query))
            }
            Dialect::OneMin => {
                let (path, query) = to_onemin::chat_path(stream).split_once('?').unwrap_or((path, ""));
                Ok((path.to_owned(), Some(query.to_owned()).filter(|query| !query.is_empty())))
            }
            _ => Ok((path.to_owned(), None)),
        }
    }

    /// What a Gemini client asks beside conversations. Only Gemini has it.
    fn gemini_action(&self) -> Result<Said, Error> {
        self.native(Format::Conversation(Dialect::Gemini))?;
        Ok(self.as_it_came(self.gemini_path()?))
    }

    fn embeddings(&self) -> Result<Said, Error> {
        let Some(path) = self.target.service.path_of(Format::GeminiEmbeddings) else {
            return self.native(Format::Embeddings);
        };
        let outgoing = to_gemini::embeddings_request(self.plan.json()?, &self.at())?;
        Ok(self.outgoing(self.model_in(path)?, outgoing, How::GeminiEmbeddings))
    }

    fn images(&self) -> Result<Said, Error> {
        let service = &self.target.service;
        if let Some(path) = service.path_of(Format::WorkersAiImages) {
            let outgoing = to_workers_ai::image_request(self.plan.json()?, &self.at())?;
            crate::path::check(&self.target.model).map_err(|_| self.unable("find that model"))?;
            let path = path.replace("{model}", &self.target.model);
            return Ok(self.outgoing(path, outgoing, How::WorkersAiImage));
        }
        if service.path_of(Format::OneMinImages).is_some() {
            let outgoing = to_onemin::image_request(self.plan.json()?, &self.at())?;
            let (path, query) =
                to_onemin::FEATURES_PATH.split_once('?').unwrap_or((to_onemin::FEATURES_PATH, ""));
            let said = self.outgoing(path.to_owned(), outgoing, How::OneMinImages);
            return Ok(Said { query: Some(query.to_owned()), ..said });
        }
        self.native(Format::Images)
    }

    /// A request in a format that the provider must have itself.
    fn native(&self, format: Format) -> Result<Said, Error> {
        let path = self.target.service.path_of(format).ok_or_else(|| self.unable("do that"))?;
        Ok(self.as_it_came(path.to_owned()))
    }

    /// The client's own words; only the model's name is the provider's.
    pub(super) fn as_it_came(&self, path: String) -> Said {
        let Plan { received, model, .. } = self.plan;
        let changed =
            (*model != self.target.model).then(|| ask::with_model(&received.body, &self.target.model));
        Said {
            path,
            query: received.query.clone(),
            body: changed.flatten().unwrap_or_else(|| received.body.clone()),
            how: self.natively(),
            dropped: Vec::new(),
        }
    }

    fn outgoing(&self, path: String, outgoing: Outgoing, how: impl FnOnce(Box<Asked>) -> How) -> Said {
        let Outgoing { body, dropped, asked } = outgoing;
        Said { path, query: None, body: text(&body), how: how(Box::new(asked)), dropped }
    }

    /// A Gemini client's path with the provider's name of the model.
    fn gemini_path(&self) -> Result<String, Error> {
        let path = below_function(&self.plan.received.path);
        let action = path.rsplit_once(':').map_or("generateContent", |(_, action)| action);
        Ok(format!("{}:{action}", self.model_in("/v1beta/{model}")?))
    }

    fn model_in(&self, path: &str) -> Result<String, Error> {
        let model = to_gemini::model_path(&self.target.model);
        let model = model
            .ok_or_else(|| Error::unfit("invalid_value", Some("model"), "The model's name is malformed"))?;
        Ok(path.replace("{model}", &model))
    }

    fn quirks(&self) -> dialects::Quirks {
        quirks::for_model(&self.target.service.alias, &self.target.model)
    }

    pub(super) fn at(&self) -> At<'_> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        At {
            model: &self.target.model,
            asked_model: &self.plan.model,
            quirks: self.quirks(),
            id: &self.plan.received.id,
            now: since.as_secs(),
        }
    }

    fn unable(&self, what: &str) -> Error {
        let service = &self.target.service.alias;
        Error::unfit(
            "unsupported_by_provider",
            Some("model"),
            format!("The provider '{service}' cannot {what}"),
        )
    }
}

pub(super) fn text(body: &Value) -> Bytes {
    crate::body::json(body)
}
