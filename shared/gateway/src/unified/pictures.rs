//! Gives images to providers that fetch none: what a client names by a URL is fetched and put in as data, and where a
//! provider keeps images in a place of its own (1min.ai), they are uploaded there first.

mod places;
mod upload;

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};
use http::Response;
use serde_json::Value;
use twinlane_dialects::dialect::Dialect;
use twinlane_dialects::to_onemin;

use super::draft::Draft;
use super::fetch::{Fetcher, PATIENCE, Picture, Trouble};
use super::plan::Plan;
use super::said::{self, Said};
use super::targets::Target;
use crate::Error;
use crate::auth::Caller;
use crate::body::Body;
use crate::call::Call;
use crate::gateway::Gateway;

/// How many images of a call are fetched, or uploaded.
const MOST: usize = 8;
/// How many of them at once.
const AT_ONCE: usize = 4;

/// Why a plan could not be said in a provider's words.
#[derive(Debug)]
pub(super) enum Unsaid {
    /// It cannot be, or something failed.
    Failed(Error),
    /// The provider refused an upload: that call, and what it answered.
    Refused(Box<(Call, Response<Body>)>),
}

impl<E: Into<Error>> From<E> for Unsaid {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// An image that a request names.
struct Named {
    /// Where it stands, for errors.
    param: String,
    url: String,
}

impl Gateway {
    /// A plan in a provider's words, with the images that it must be given.
    pub(super) async fn said(&self, plan: &Plan, target: &Target, caller: &Caller) -> Result<Said, Unsaid> {
        let mut draft = said::draft(plan, target)?;
        let keeps_assets = draft.provider() == Some(Dialect::OneMin);
        let gives = keeps_assets || !target.service.fetches_images;
        let given = match draft.body_mut().filter(|_| gives) {
            Some(body) => self.give_images(plan, body).await?,
            None => false,
        };
        if !given {
            draft = draft.unchanged(plan, target);
        }
        let assets = match &draft {
            Draft::Chat { chat, .. } if keeps_assets => {
                self.upload_images(plan, target, caller, &chat.body).await?
            }
            _ => Vec::new(),
        };
        Ok(draft.finish(plan, target, &assets)?)
    }

    /// Replaces the images that a body names by the images themselves, and says whether there were any.
    async fn give_images(&self, plan: &Plan, body: &mut Value) -> Result<bool, Error> {
        let mut named = Vec::new();
        places::visit(body, &mut |param, place| {
            if let Some(url) = places::link(place) {
                named.push(Named { param, url: url.to_owned() });
            }
        });
        if named.is_empty() {
            return Ok(false);
        }
        let pictures = self.fetched(plan, once_each(named)?).await?;
        let room = self.config.limits.request.saturating_sub(plan.received.body.len());
        put_in(body, &pictures, room).map(|()| true)
    }

    /// Fetches images, by their URLs.
    async fn fetched(&self, plan: &Plan, named: Vec<Named>) -> Result<BTreeMap<String, Picture>, Error> {
        let left = plan.received.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let patience = left.unwrap_or(PATIENCE).min(PATIENCE);
        let fetcher = Fetcher { upstream: &self.upstream, images: &self.config.images, patience };
        let fetching = named.into_iter().map(|Named { param, url }| async move {
            match fetcher.fetch(&url).await {
                Ok(picture) => Ok((url, picture)),
                Err(trouble) => Err(unfit(&param, &trouble)),
            }
        });
        stream::iter(fetching).buffered(AT_ONCE).try_collect().await
    }

    /// Uploads a chat's images, and returns their paths in the order in which [`to_onemin::images_of`] has them.
    async fn upload_images(
        &self,
        plan: &Plan,
        target: &Target,
        caller: &Caller,
        chat: &Value,
    ) -> Result<Vec<String>, Unsaid> {
        let shown = to_onemin::images_of(chat).map_err(Error::from)?;
        let param = |at: &str| format!("{at}.image_url.url");
        let named = shown.iter().map(|image| Named { param: param(&image.param), url: image.url.to_owned() });
        let uploading = once_each(named)?.into_iter().map(|Named { param, url }| async move {
            let picture = places::picture(&url).map_err(|trouble| unfit(&param, &trouble))?;
            Ok::<_, Unsaid>((url, self.upload(plan, target, caller, &picture).await?))
        });
        let paths: BTreeMap<String, String> = stream::iter(uploading).buffered(AT_ONCE).try_collect().await?;
        Ok(shown.iter().filter_map(|image| paths.get(image.url).cloned()).collect())
    }
}

/// Every image once, however often it is shown.
fn once_each(named: impl IntoIterator<Item = Named>) -> Result<Vec<Named>, Error> {
    let mut each: Vec<Named> = Vec::new();
    for image in named {
        if each.iter().any(|known| known.url == image.url) {
            continue;
        }
        if each.len() == MOST {
            let message =
                format!("`{}`: a call may have {MOST} images at most for this provider.", image.param);
            return Err(Error::unfit("too_many_images", Some(&image.param), message));
        }
        each.push(image);
    }
    Ok(each)
}

/// Puts images in where they are named, as long as the body stays as small as a client's must be: an image may be shown
/// a thousand times.
fn put_in(body: &mut Value, pictures: &BTreeMap<String, Picture>, room: usize) -> Result<(), Error> {
    let (mut left, mut too_much) = (room, None);
    places::visit(body, &mut |param, place| {
        let Some(picture) = places::link(place).and_then(|url| pictures.get(url)) else { return };
        match left.checked_sub(places::size_in_base64(picture)) {
            Some(rest) => {
                left = rest;
                places::show(place, picture);
            }
            None => drop(too_much.get_or_insert(param)),
        }
    });
    match too_much {
        None => Ok(()),
        Some(param) => {
            let message =
                format!("`{param}`: with this image the request is larger than MAX_REQUEST_SIZE allows.");
            Err(Error::unfit("image_too_large", Some(&param), message))
        }
    }
}

fn unfit(param: &str, trouble: &Trouble) -> Error {
    Error::unfit(trouble.code(), Some(param), format!("`{param}`: {}.", trouble.told()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::{MOST, Named, once_each, put_in};
    use crate::Error;
    use crate::unified::fetch::Picture;

    const URL: &str = "https://a.example/b.png";

    fn pictures() -> BTreeMap<String, Picture> {
        let picture = Picture::of(Bytes::from_static(b"\x89PNG\r\n\x1a\n1234")).unwrap();
        BTreeMap::from([(URL.to_owned(), picture)])
    }

    fn shown_twice() -> Value {
        let image = json!({ "type": "image_url", "image_url": { "url": URL, "detail": "low" } });
        json!({ "messages": [{ "role": "user", "content": [{ "type": "text", "text": URL }, image, image] }] })
    }

    #[test]
    fn an_image_is_put_in_wherever_it_is_named() {
        let mut body = shown_twice();
        put_in(&mut body, &pictures(), 32).unwrap();
        let content = &body["messages"][0]["content"];
        assert_eq!(content[0]["text"], URL, "a text that names it stays");
        let data = json!({ "url": "data:image/png;base64,iVBORw0KGgoxMjM0", "detail": "low" });
        assert_eq!((&content[1]["image_url"], &content[2]["image_url"]), (&data, &data));
    }

    #[test]
    fn images_do_not_swell_a_body_beyond_bounds() {
        let refused = put_in(&mut shown_twice(), &pictures(), 31).unwrap_err();
        let Error::Unfit(refusal) = refused else { panic!("{refused}") };
        assert_eq!(refusal.code, "image_too_large");
        assert_eq!(refusal.param.as_deref(), Some("messages[0].content[2].image_url.url"));
    }

    #[test]
    fn an_image_shown_often_counts_once() {
        let named = |urls: usize, times: usize| {
            let all = (0..urls * times).map(move |at| (at, at % urls));
            all.map(|(at, url)| Named { param: at.to_string(), url: url.to_string() })
        };
        assert_eq!(once_each(named(MOST, 3)).unwrap().len(), MOST);
        let refused = once_each(named(MOST + 1, 1)).err().unwrap();
        assert_eq!(refused.code(), "too_many_images");
    }
}
