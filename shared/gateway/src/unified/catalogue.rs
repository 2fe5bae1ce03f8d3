//! The models there are: the lists of all providers that the server can call, as one.
//!
//! A list is asked of its provider when it is first wanted and believed for ten minutes. A caller who brings a
//! provider's key of its own sees that provider's list as it is: what the key opens is not ours to know.

pub mod listed;
mod options;
pub mod shapes;
pub mod union;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue, Method, Response};
use serde_json::Value;
use tokio::sync::Mutex;
use twinlane_dialects::{Dialect, Told};

use crate::auth::Caller;
use crate::body::{self, Body};
use crate::call::{Call, Stream};
use crate::gateway::Gateway;
use crate::headers::plain;
use crate::inband::Protocol;
use crate::pages::json_page;
use crate::record::Notes;
use crate::services::{Format, KeyPlace, Service, TABLE, formats};
use crate::{Error, VERSION};

use super::endpoint::Endpoint;
use super::plan::Plan;
use super::targets::{Rules, is_open};
use listed::Listed;
use shapes::Shape;
use union::Lists;

/// How long a list is believed.
const FRESH: Duration = Duration::from_secs(600);
/// How long a provider may take to list its models.
const PATIENCE: Duration = Duration::from_secs(5);
/// The providers whose lists are not here.
const MISSING: &str = "x-models-missing";

/// The lists of this instance.
#[derive(Debug, Default)]
pub struct Catalogue(Mutex<BTreeMap<String, Kept>>);

/// What came of asking for a list.
#[derive(Debug)]
struct Kept {
    at: Instant,
    models: Option<Arc<[Listed]>>,
}

impl Kept {
    /// Whether it answers somebody who came at a moment. A failure answers only those who waited for it: there is one
    /// question at a time, and not one after the other for everybody in the queue.
    fn answers(&self, came: Instant, now: Instant) -> bool {
        match self.models {
            Some(_) => now.duration_since(self.at) < FRESH,
            None => self.at >= came,
        }
    }
}

impl Gateway {
    /// Answers a question for the models, or for one.
    ///
    /// # Errors
    /// [`Error::UnknownModel`], and those of the provider to which the question is passed.
    pub(super) async fn models(
        &self,
        plan: Plan,
        caller: &Caller,
        notes: Notes,
    ) -> Result<Response<Body>, Error> {
        let usable = self.usable(caller);
        if plan.own_key.is_some() || usable.is_empty() {
            if let (Some(grant), Some(target)) = (&caller.grant, plan.targets.first()) {
                grant.covers_service(&target.service.alias)?;
            }
            return self.ask(&plan, caller, &notes).await;
        }
        let shape = Shape::of(&plan);
        match &plan.endpoint {
            Endpoint::Model(id) => self.one_model(id, shape, &plan, caller).await,
            _ => {
                let lists = self.lists(usable, &plan, caller).await;
                let page = json_page(&shape.list(&lists, &self.rules()));
                Ok(with_missing(page, &lists.missing))
            }
        }
    }

    /// The rules for callers who bring no key.
    pub(super) fn rules(&self) -> Rules<'_> {
        Rules {
            services: &self.config.services,
            aliases: &self.config.model_aliases,
            default: &self.config.default_service,
            own_key: false,
        }
    }

    /// The providers that can be called for a caller without a key of its own.
    fn usable(&self, caller: &Caller) -> Vec<Arc<Service>> {
        let opens = |service: &&Service| {
            is_open(service) && (caller.server_keys || service.key_place == KeyPlace::None)
        };
        let covered = |service: &&Service| {
            caller.grant.as_ref().is_none_or(|grant| grant.covers_service(&service.alias).is_ok())
        };
        let open = self.config.services.iter().filter(opens).filter(covered);
        let listing = open.filter(|service| list_path(service).is_some());
        listing.filter_map(|service| self.config.services.get(&service.alias)).collect()
    }

    async fn one_model(
        &self,
        id: &str,
        shape: Shape,
        plan: &Plan,
        caller: &Caller,
    ) -> Result<Response<Body>, Error> {
        let (rules, unknown) = (self.rules(), || Error::UnknownModel { model: id.to_owned() });
        if rules.aliases.contains_key(id) {
            let lists = self.lists(Vec::new(), plan, caller).await;
            let known = lists.aliases.iter().any(|alias| alias == id);
            return if known { Ok(json_page(&shape.alias(id))) } else { Err(unknown()) };
        }
        let meant = rules.targets(id, None).unwrap_or_default();
        let is_meant = |service: &Arc<Service>| meant.iter().any(|it| it.service.alias == service.alias);
        let usable = self.usable(caller).into_iter().filter(is_meant).collect();
        let lists = self.lists(usable, plan, caller).await;
        if let Some(alias) = lists.missing.first() {
            let message = format!("The models of '{alias}' cannot be listed now");
            return Err(Error::Provider(Box::new(Told::of_upstream("models_unavailable", &message))));
        }
        let entry = lists.entry(id, &rules).ok_or_else(unknown)?;
        Ok(json_page(&shape.one(id, entry)))
    }

    /// What a caller may know of the models of some providers.
    async fn lists(&self, services: Vec<Arc<Service>>, plan: &Plan, caller: &Caller) -> Lists {
        let lists = self.whole_lists(services, plan, caller).await;
        match &caller.grant {
            Some(grant) => lists.within(grant, &self.rules()),
            None => lists,
        }
    }

    /// The lists of some providers, asked for where they are not known.
    async fn whole_lists(&self, services: Vec<Arc<Service>>, plan: &Plan, caller: &Caller) -> Lists {
        let came = Instant::now();
        let mut kept = self.catalogue.0.lock().await;
        let mut asked = Vec::new();
        for service in &services {
            if !kept.get(&service.alias).is_some_and(|kept| kept.answers(came, Instant::now())) {
                asked.push(self.listed(service, plan, caller));
            }
        }
        kept.extend(join_all(asked).await);
        let aliases = self.config.model_aliases.keys().cloned().collect();
        let mut lists = Lists { aliases, ..Lists::default() };
        for service in services {
            match kept.get(&service.alias).and_then(|kept| kept.models.clone()) {
                Some(models) => lists.found.push((service, models)),
                None => lists.missing.push(service.alias.clone()),
            }
        }
        lists
    }

    /// Asks a provider for its list.
    async fn listed(&self, service: &Arc<Service>, plan: &Plan, caller: &Caller) -> (String, Kept) {
        let alias = &service.alias;
        let asked = tokio::time::timeout(PATIENCE, self.read_list(service, plan, caller)).await;
        let models = match asked.unwrap_or_else(|_| Err("it takes too long".to_owned())) {
            Ok(models) => Some(models.into()),
            Err(why) => {
                tracing::warn!(service = alias, "the models of {alias} cannot be listed: {why}");
                None
            }
        };
        (alias.clone(), Kept { at: Instant::now(), models })
    }

    async fn read_list(
        &self,
        service: &Arc<Service>,
        plan: &Plan,
        caller: &Caller,
    ) -> Result<Vec<Listed>, String> {
        let call = list_call(service, plan).ok_or("it has no list")?;
        let reply = self.carry(&call, caller).await.map_err(|failed| failed.error.to_string())?.response;
        if !reply.status().is_success() {
            return Err(format!("it answers {}", reply.status().as_u16()));
        }
        let most = usize::try_from(service.max_response.bytes).unwrap_or(usize::MAX);
        // What breaks off, or is longer, is no JSON.
        let text = body::beginning(reply.into_body(), most).await;
        let list: Value = serde_json::from_slice(&text).map_err(|_| "its list is no JSON")?;
        listed::read(&list).ok_or_else(|| "its list has a shape that is not known".to_owned())
    }
}

/// Where a provider lists its models, all on one page. A service that is off until it is named is no LLM provider.
fn list_path(service: &Service) -> Option<(&'static str, Option<&'static str>)> {
    if TABLE.iter().any(|row| row.alias == service.alias && !row.on) {
        return None;
    }
    let path = service.path_of(Format::Models)?;
    let page = match formats::own_conversation(&service.speaks) {
        Some((Dialect::Messages, _)) => Some("limit=1000"),
        Some((Dialect::Gemini, _)) => Some("pageSize=1000"),
        _ => None,
    };
    Some(path.split_once('?').map_or((path, page), |(path, query)| (path, Some(query))))
}

/// The question for a list, as a call like any other.
fn list_call(service: &Arc<Service>, plan: &Plan) -> Option<Call> {
    let (path, query) = list_path(service)?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    // GitHub answers nobody who does not say who asks.
    let agent = HeaderValue::try_from(format!("twinlane/{VERSION}")).ok()?;
    Some(Call {
        id: plan.received.id.clone(),
        surface: plan.received.surface,
        service: Arc::clone(service),
        method: Method::GET,
        target: format!("/gateway/{}{path}{query}", service.alias),
        path: path.to_owned(),
        headers: HeaderMap::from_iter([(USER_AGENT, agent)]),
        body: bytes::Bytes::new(),
        stream: Stream::No,
        protocol: Protocol::Other,
        tells: None,
        deadline: Some(Instant::now() + PATIENCE),
        arrival: plan.received.arrival.clone(),
    })
}

fn with_missing(mut page: Response<Body>, missing: &[String]) -> Response<Body> {
    if !missing.is_empty() {
        page.headers_mut().insert(MISSING, plain(missing.join(", ")));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{FRESH, Kept, list_path};
    use crate::config::tests::config;

    #[test]
    fn a_list_is_believed_for_ten_minutes_and_a_failure_by_those_who_waited_for_it() {
        let (came, second) = (Instant::now(), Duration::from_secs(1));
        let good = Kept { at: came, models: Some([].into()) };
        assert!(good.answers(came + second, came + FRESH - second));
        assert!(!good.answers(came + second, came + FRESH));
        let failed = Kept { at: came + second, models: None };
        assert!(failed.answers(came, came + second));
        assert!(!failed.answers(came + 2 * second, came + 2 * second));
    }

    #[test]
    fn a_list_is_asked_for_where_it_is_and_whole() {
        let config = config(&[
            ("CLOUDFLARE_ACCOUNT_ID", "a"),
            ("PROXY_CONFIG", r#"{"telegram": {}, "own": {"host": "own.example", "speaks": ["chat"]}}"#),
        ]);
        for (alias, expected) in [
            ("openai", Some(("/v1/models", None))),
            ("claude", Some(("/v1/models", Some("limit=1000")))),
            ("gemini", Some(("/v1beta/models", Some("pageSize=1000")))),
            ("workers-ai", Some(("/models/search", Some("per_page=200")))),
            ("onemin", Some(("/models", Some("feature=UNIFY_CHAT_WITH_AI")))),
            ("github", Some(("/catalog/models", None))),
            ("pplx", None),
            ("telegram", None),
            ("own", None),
        ] {
            assert_eq!(list_path(&config.services.get(alias).unwrap()), expected, "{alias}");
        }
    }
}
