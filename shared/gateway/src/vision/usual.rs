//! What is asked about images where the client names no model: what `DEFAULT_MODEL` names, else what there is a key for.

use crate::Error;
use crate::config::Config;
use crate::unified::targets::is_open;

/// Models with eyes that cost little, in the order in which they are taken. The demo stands before what an ordinary key
/// would pay for: who starts the gateway on a laptop to look around is to be asked for nothing.
const MODELS: [(&str, &str); 6] = [
    ("openrouter", "google/gemini-3.5-flash-lite"),
    ("demo", "demo"),
    ("gemini", "gemini-3.5-flash-lite"),
    ("openai", "gpt-6-luna"),
    ("claude", "claude-sonnet-5"),
    ("mistral", "mistral-small-latest"),
];

/// The models to try in turn. `own_key`: the client brings a provider's key. `named`: it names a provider.
///
/// # Errors
/// [`Error::Unfit`] where the client has to name one, [`Error::NotConfigured`] where there is none.
pub(super) fn models(config: &Config, own_key: bool, named: bool) -> Result<Vec<String>, Error> {
    if named {
        return Err(missing("A question that names a provider has to name a `model` as well"));
    }
    if !config.vision.models.is_empty() {
        return Ok(config.vision.models.clone());
    }
    if own_key {
        // A guess would show somebody's key to a provider that it may not be for.
        return Err(missing("Name a `model`: the key you send is for its provider"));
    }
    let open = |alias: &str| config.services.get(alias).is_some_and(|service| is_open(&service));
    let found = MODELS.iter().find(|(alias, _)| open(alias));
    found.map(|(alias, model)| vec![format!("{alias}/{model}")]).ok_or(Error::NotConfigured(
        "There is no model for images: name a `model`, or have the operator set DEFAULT_MODEL or OPENROUTER_API_KEY",
    ))
}

fn missing(told: &str) -> Error {
    Error::unfit("missing_required_parameter", Some("model"), told)
}

#[cfg(test)]
mod tests {
    use crate::config::{self, tests::config};

    fn check(vars: &[(&str, &str)], demo: bool, expected: &[&str]) {
        let mut config = config(vars);
        if demo {
            config.services.add(config::local("demo", "127.0.0.1:1".parse().unwrap(), &[]));
        }
        assert_eq!(super::models(&config, false, false).unwrap(), expected, "{vars:?} {demo}");
    }

    #[test]
    fn the_operator_s_list_goes_before_openrouter_the_demo_and_other_keys() {
        let (router, openai) = (("OPENROUTER_API_KEY", "k"), ("OPENAI_API_KEY", "k"));
        let list = ("DEFAULT_MODEL", "openai/gpt-6-luna,demo/demo");
        check(&[list, router], true, &["openai/gpt-6-luna", "demo/demo"]);
        check(&[router, openai], true, &["openrouter/google/gemini-3.5-flash-lite"]);
        check(&[openai], true, &["demo/demo"]);
        check(&[openai], false, &["openai/gpt-6-luna"]);
        check(&[openai, ("GEMINI_API_KEY", "k")], false, &["gemini/gemini-3.5-flash-lite"]);
    }

    #[test]
    fn nobody_s_key_is_shown_to_a_provider_that_was_guessed() {
        let status = |vars: &[(&str, &str)], own_key, named| {
            super::models(&config(vars), own_key, named).map_err(|error| error.status().as_u16())
        };
        assert_eq!(status(&[], false, false), Err(501));
        assert_eq!(status(&[("OPENROUTER_API_KEY", "k")], true, false), Err(400));
        assert_eq!(status(&[("DEFAULT_MODEL", "a/b")], true, false), Ok(vec!["a/b".to_owned()]));
        assert_eq!(status(&[("DEFAULT_MODEL", "a/b")], false, true), Err(400));
    }
}
