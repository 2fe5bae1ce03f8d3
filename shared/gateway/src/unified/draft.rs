//! The moment between a client's request and a provider's, at which images are seen to.

use serde_json::Value;
use twinlane_dialects::dialect::Dialect;
use twinlane_dialects::translation;
use twinlane_dialects::{Outgoing, to_onemin};

use super::plan::Plan;
use super::said::{self, How, Said, Teller, text};
use super::targets::Target;
use crate::Error;

/// A plan on its way into a provider's words, as far as it goes while its images are where the client put them.
#[derive(Debug)]
pub enum Draft {
    /// Nothing is left to do.
    Said(Said),
    /// In a format that the provider has itself, and perhaps with images that the provider does not fetch.
    Native {
        /// Where it goes.
        path: String,
        /// The body.
        body: Value,
    },
    /// In the chat format, still to be translated.
    Chat {
        /// The client's format.
        client: Dialect,
        /// The provider's.
        provider: Dialect,
        /// Where the provider takes conversations.
        path: &'static str,
        /// The conversation.
        chat: Box<Outgoing>,
    },
}

impl Draft {
    /// The format into which it is to be translated, if it is.
    #[must_use]
    pub fn provider(&self) -> Option<Dialect> {
        match self {
            Self::Chat { provider, .. } => Some(*provider),
            _ => None,
        }
    }

    /// The body, where it may hold images.
    pub fn body_mut(&mut self) -> Option<&mut Value> {
        match self {
            Self::Said(_) => None,
            Self::Native { body, .. } => Some(body),
            Self::Chat { chat, .. } => Some(&mut chat.body),
        }
    }

    /// The same, where nothing was changed: what the provider can read passes as it came, to the byte.
    #[must_use]
    pub fn unchanged(self, plan: &Plan, target: &Target) -> Self {
        match self {
            Self::Native { path, .. } => Self::Said(Teller { plan, target }.as_it_came(path)),
            other => other,
        }
    }

    /// Says the rest. `assets` are the paths of the images, where the provider keeps images in a place of its own.
    ///
    /// # Errors
    /// [`Error::Unfit`] where the provider cannot be asked for this.
    pub fn finish(self, plan: &Plan, target: &Target, assets: &[String]) -> Result<Said, Error> {
        let teller = Teller { plan, target };
        match self {
            Self::Said(said) => Ok(said),
            Self::Native { path, mut body } => {
                body["model"] = target.model.as_str().into();
                Ok(Said { body: text(&body), ..teller.as_it_came(path) })
            }
            Self::Chat { client, provider, path, chat } => {
                let translated = translation::from_chat(client, provider, *chat, &teller.at(), assets)?;
                let (path, query) = teller.place(provider, path)?;
                Ok(Said {
                    path,
                    query,
                    body: text(&translated.body),
                    how: How::Translated(Box::new(translated.reply)),
                    dropped: translated.dropped,
                })
            }
        }
    }
}

/// Says a plan in a provider's words without fetching or uploading an image, to see what would become of it.
///
/// # Errors
/// As [`said::draft`].
pub fn rehearsed(plan: &Plan, target: &Target) -> Result<Said, Error> {
    let draft = said::draft(plan, target)?.unchanged(plan, target);
    let images = match &draft {
        Draft::Chat { provider: Dialect::OneMin, chat, .. } => to_onemin::images_of(&chat.body)?.len(),
        _ => 0,
    };
    draft.finish(plan, target, &vec![String::new(); images])
}
