//! `MODEL_ALIASES`: the operator's own names for models, in JSON. Each stands for one target or for a list, tried in order.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Reader;
use crate::services::Services;

/// Reads the aliases. A target that names its provider names one that is there.
pub(super) fn read(reader: &mut Reader, services: &Services) -> BTreeMap<String, Vec<String>> {
    let Some(text) = reader.text("MODEL_ALIASES") else { return BTreeMap::new() };
    let Ok(Value::Object(entries)) = serde_json::from_str(text) else {
        reader.problem("MODEL_ALIASES", "is not a JSON object of names and targets");
        return BTreeMap::new();
    };
    let mut aliases = BTreeMap::new();
    for (alias, value) in entries {
        match targets(&value) {
            Some(targets) => drop(aliases.insert(alias, targets)),
            None => reader.problem(
                &format!("MODEL_ALIASES.{alias}"),
                "is neither a target, such as \"openai/gpt-4o\", nor a list of them",
            ),
        }
    }
    let nested = aliases
        .values()
        .flatten()
        .find(|target| aliases.contains_key(*target) && services.get(target).is_none());
    if nested.is_some() {
        reader.problem("MODEL_ALIASES", "an alias names an alias; name its targets instead");
    }
    aliases
}

fn targets(value: &Value) -> Option<Vec<String>> {
    let list = match value {
        Value::String(target) => vec![target.clone()],
        Value::Array(list) => {
            list.iter().map(|target| target.as_str().map(str::to_owned)).collect::<Option<_>>()?
        }
        _ => return None,
    };
    Some(list)
        .filter(|list: &Vec<String>| !list.is_empty() && list.iter().all(|target| !target.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{config, problems};

    #[test]
    fn an_alias_is_a_target_or_a_list_of_them() {
        let aliases = r#"{"fast": "openai/gpt-4o-mini", "best": ["claude/opus", "gpt-5"]}"#;
        let aliases = config(&[("MODEL_ALIASES", aliases)]).model_aliases;
        assert_eq!(aliases["fast"], ["openai/gpt-4o-mini"]);
        assert_eq!(aliases["best"], ["claude/opus", "gpt-5"]);
    }

    #[test]
    fn what_is_no_list_of_targets_is_named() {
        for wrong in ["[]", "{", r#"{"a": []}"#, r#"{"a": 1}"#, r#"{"a": [1]}"#, r#"{"a": "b", "b": "c"}"#] {
            assert_eq!(problems(&[("MODEL_ALIASES", wrong)]).len(), 1, "{wrong}");
        }
    }
}
