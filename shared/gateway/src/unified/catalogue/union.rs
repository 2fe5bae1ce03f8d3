//! The models of all providers under the names by which they can be called here. Pure.

use std::sync::Arc;

use twinlane_access::{Grant, Outside};

use super::listed::Listed;
use crate::services::Service;
use crate::unified::targets::{Rules, Target, Why};

/// The models of some providers, and the providers that told nothing.
#[derive(Debug, Default)]
pub struct Lists {
    /// The lists.
    pub found: Vec<(Arc<Service>, Arc<[Listed]>)>,
    /// The aliases of the providers without.
    pub missing: Vec<String>,
    /// The operator's names for models.
    pub aliases: Vec<String>,
}

/// A model under a name by which it can be called.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The provider.
    pub service: &'a Service,
    /// What its list tells.
    pub model: &'a Listed,
}

impl Lists {
    /// What of it a caller may ask for.
    #[must_use]
    pub fn within(mut self, grant: &Grant, rules: &Rules<'_>) -> Self {
        for (service, models) in &mut self.found {
            let covered = |model: &&Listed| grant.covers_model(&service.alias, &model.id).is_ok();
            *models = models.iter().filter(covered).cloned().collect();
        }
        self.aliases.retain(|alias| {
            let targets = rules.targets(alias, None).unwrap_or_default();
            targets.iter().any(|target| covers(grant, alias, target).is_ok())
        });
        self
    }

    /// Every model there is.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.found
            .iter()
            .flat_map(|(service, models)| models.iter().map(move |model| Entry { service, model }))
    }

    /// The model that a name means.
    #[must_use]
    pub fn entry(&self, id: &str, rules: &Rules<'_>) -> Option<Entry<'_>> {
        let meant = rules.targets(id, None).ok()?;
        let [Target { service, model, .. }] = meant.as_slice() else { return None };
        self.entries().find(|entry| entry.service.alias == service.alias && entry.model.id == *model)
    }
}

/// Whether a caller may have a target asked that it named in this way. The operator's own names are what a grant may
/// be about.
pub(in crate::unified) fn covers(grant: &Grant, named: &str, target: &Target) -> Result<(), Outside> {
    grant.covers_service(&target.service.alias)?;
    if target.why == Why::Alias && grant.covers_alias(named) {
        return Ok(());
    }
    grant.covers_model(&target.service.alias, &target.model)
}

impl Entry<'_> {
    /// The name that leads to this model whatever else there is.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.service.alias, self.model.id)
    }

    /// The provider's own name of it, where that alone leads here.
    #[must_use]
    pub fn bare_id(&self, rules: &Rules<'_>) -> Option<&str> {
        let id = &self.model.id;
        let meant = rules.targets(id, None).ok()?;
        let [Target { service, model, why }] = meant.as_slice() else { return None };
        (service.alias == self.service.alias && model == id && *why != Why::Alias).then_some(id)
    }

    /// Who made it: as the list tells, else the provider.
    #[must_use]
    pub fn owner(&self) -> &str {
        let owner = match self.service.alias.as_str() {
            "claude" => "anthropic",
            "gemini" => "google",
            alias => alias,
        };
        self.model.owner.as_deref().unwrap_or(owner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use twinlane_access::Grant;

    use super::{Entry, Listed, Lists};
    use crate::config::Config;
    use crate::config::tests::config;
    use crate::unified::targets::Rules;

    /// The lists of providers that have these models.
    pub(in crate::unified::catalogue) fn lists(config: &Config, models: &[(&str, &str)]) -> Lists {
        let mut found: BTreeMap<&str, Vec<Listed>> = BTreeMap::new();
        for (alias, id) in models {
            found.entry(alias).or_default().push(Listed { id: (*id).to_owned(), ..Listed::default() });
        }
        let found = found.into_iter();
        Lists {
            found: found
                .map(|(alias, models)| (config.services.get(alias).expect(alias), models.into()))
                .collect(),
            missing: Vec::new(),
            aliases: config.model_aliases.keys().cloned().collect(),
        }
    }

    pub(in crate::unified::catalogue) fn with_keys() -> Config {
        config(&[
            ("OPENAI_API_KEY", "k"),
            ("ANTHROPIC_API_KEY", "k"),
            ("OPENROUTER_API_KEY", "k"),
            ("MISTRAL_API_KEY", "k"),
            ("MODEL_ALIASES", r#"{"fast": ["claude/haiku", "gpt-4o"], "mistral-small": "openai/gpt-4o"}"#),
        ])
    }

    fn rules(config: &Config) -> Rules<'_> {
        Rules {
            services: &config.services,
            aliases: &config.model_aliases,
            default: &config.default_service,
            own_key: false,
        }
    }

    #[test]
    fn a_bare_name_is_told_only_where_it_leads_to_that_very_model() {
        let config = with_keys();
        for (alias, id, bare) in [
            ("openai", "gpt-4o", true),
            ("openai", "my-own-tuned", true),
            ("claude", "claude-opus-5", true),
            ("claude", "opus", false),
            ("openrouter", "meta-llama/llama-4", true),
            ("openrouter", "openai/gpt-4o", false),
            ("openrouter", "gpt-4o", false),
            ("mistral", "mistral-small", false),
        ] {
            let lists = lists(&config, &[(alias, id)]);
            let entry = lists.entries().next().unwrap();
            assert_eq!(entry.bare_id(&rules(&config)).is_some(), bare, "{alias} {id}");
            assert_eq!(entry.id(), format!("{alias}/{id}"));
        }
    }

    #[test]
    fn a_caller_is_told_of_no_model_outside_of_its_grant() {
        let config = with_keys();
        let told = |models: &[&str]| {
            let models = models.iter().map(|model| (*model).to_owned()).collect();
            let services = vec!["openai".to_owned(), "mistral".to_owned()];
            let grant = Grant { services, models, ..Grant::default() };
            let all = [("openai", "gpt-4o"), ("openai", "o3"), ("mistral", "gpt-x")];
            let lists = lists(&config, &all).within(&grant, &rules(&config));
            (lists.entries().map(|entry| entry.id()).collect::<Vec<_>>().join(" "), lists.aliases.join(" "))
        };
        let check = |models: &[&str], ids: &str, aliases: &str| {
            assert_eq!(told(models), (ids.to_owned(), aliases.to_owned()), "{models:?}");
        };
        check(&[], "mistral/gpt-x openai/gpt-4o openai/o3", "fast mistral-small");
        check(&["gpt-*"], "mistral/gpt-x openai/gpt-4o", "fast mistral-small");
        check(&["openai/*"], "openai/gpt-4o openai/o3", "fast mistral-small");
        check(&["fast"], "", "fast");
        check(&["claude-*"], "", "");
    }

    #[test]
    fn a_model_is_found_under_every_name_that_leads_to_it() {
        let config = with_keys();
        let lists =
            lists(&config, &[("openai", "gpt-4o"), ("claude", "claude-opus-5"), ("openrouter", "a/b")]);
        let found = |id: &str| lists.entry(id, &rules(&config)).map(|entry: Entry<'_>| entry.id());
        for (id, expected) in [
            ("gpt-4o", Some("openai/gpt-4o")),
            ("openai/gpt-4o", Some("openai/gpt-4o")),
            ("anthropic/claude-opus-5", Some("claude/claude-opus-5")),
            ("a/b", Some("openrouter/a/b")),
            ("gpt-5", None),
            ("fast", None),
            ("", None),
        ] {
            assert_eq!(found(id).as_deref(), expected, "{id}");
        }
    }
}
