//! Who may call, as the settings say it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use twinlane_access::{Grant, Keyring, Order};

use super::Reader;
use crate::secret::Secret;

/// The shortest secret that can be set for administrators and for signing requests.
const SHORTEST: usize = 16;

/// Who may call, and whether a caller without a token may use the server's keys.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The gateway tokens; none: callers bring the providers' keys.
    pub tokens: Vec<Secret>,
    /// Whether the server's keys are anybody's.
    pub allow_anonymous: bool,
    /// What the hop is signed with, as `GATEWAY_SECRET` has them: the first signs, all are believed.
    pub secrets: Vec<Secret>,
    /// The same for tokens: those that are long enough.
    pub keyring: Keyring,
    /// The ids of signed tokens that were called back.
    pub revoked: BTreeSet<String>,
    /// Those who sign their requests, by the name of their key.
    pub clients: BTreeMap<String, Client>,
    /// What administrators show.
    pub admin: Option<Secret>,
}

impl Access {
    /// Whether somebody may hold a signed token or a request key.
    #[must_use]
    pub fn signs(&self) -> bool {
        !self.keyring.is_empty() || !self.clients.is_empty()
    }
}

/// Somebody who signs requests.
#[derive(Debug, Clone)]
pub struct Client {
    /// What with.
    pub secret: Secret,
    /// What for.
    pub grant: Arc<Grant>,
}

pub(super) fn read(reader: &mut Reader) -> Access {
    let secrets: Vec<Secret> = reader.list("GATEWAY_SECRET").map(Secret::new).collect();
    let access = Access {
        tokens: reader.list("AUTH_TOKEN").map(Secret::new).collect(),
        allow_anonymous: reader.flag("ALLOW_ANONYMOUS", false),
        keyring: Keyring::new(secrets.iter().map(Secret::expose)),
        secrets,
        revoked: reader.list("REVOKED_TOKENS").map(str::to_owned).collect(),
        clients: clients(reader),
        admin: reader.text("ADMIN_TOKEN").map(Secret::new),
    };
    if access.admin.as_ref().is_some_and(|admin| admin.expose().len() < SHORTEST) {
        reader.problem("ADMIN_TOKEN", "has fewer than 16 characters, which can be guessed");
    }
    if access.admin.as_ref().is_some_and(|admin| access.tokens.contains(admin)) {
        reader.problem("ADMIN_TOKEN", "is a gateway token, too: every caller would be an administrator");
    }
    access
}

/// `id:secret,…`, or JSON where a key is to have a scope: `{"id": {"secret": "…", "services": ["openai"]}}`.
fn clients(reader: &mut Reader) -> BTreeMap<String, Client> {
    let text = reader.text("REQUEST_KEYS").unwrap_or_default().to_owned();
    let told = if text.starts_with('{') { by_json(&text) } else { by_list(&text) };
    let mut clients = BTreeMap::new();
    for (id, told) in told.unwrap_or_else(|wrong| {
        reader.problem("REQUEST_KEYS", wrong);
        BTreeMap::new()
    }) {
        match told.client(&id) {
            Ok(client) => drop(clients.insert(id, client)),
            Err(wrongs) => {
                wrongs.iter().for_each(|wrong| reader.problem(&format!("REQUEST_KEYS.{id}"), wrong));
            }
        }
    }
    clients
}

/// A client as the setting tells it.
struct Told {
    secret: String,
    order: Order,
}

fn by_list(text: &str) -> Result<BTreeMap<String, Told>, &'static str> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let client = |pair: &str| {
        let (id, secret) = pair.split_once(':').ok_or("is not id:secret, with commas between several")?;
        if !is_id(id) {
            return Err("has a name that is not made of letters, digits, '-', '_' and '.'");
        }
        Ok((id.to_owned(), Told { secret: secret.trim().to_owned(), order: Order::default() }))
    };
    pairs.map(client).collect()
}

fn by_json(text: &str) -> Result<BTreeMap<String, Told>, &'static str> {
    const SHAPE: &str = r#"is not JSON such as {"backend": {"secret": "…", "services": ["openai"]}}"#;
    let clients: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(|_| SHAPE)?;
    let client = |(id, told): (String, &RawValue)| {
        if !is_id(&id) {
            return Err("has a name that is not made of letters, digits, '-', '_' and '.'");
        }
        if let Ok(secret) = serde_json::from_str(told.get()) {
            return Ok((id, Told { secret, order: Order::default() }));
        }
        let mut fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(told.get()).map_err(|_| SHAPE)?;
        let secret = fields.remove("secret").and_then(|secret| secret.as_str().map(str::to_owned));
        // What serde says of a value may repeat it.
        let order = Order::deserialize(serde_json::Value::Object(fields));
        let order = order.map_err(|_| "has a field that a key does not have, or of another kind")?;
        Ok((id, Told { secret: secret.ok_or("has a key without a secret")?, order }))
    };
    clients.into_iter().map(client).collect()
}

impl Told {
    fn client(self, id: &str) -> Result<Client, Vec<String>> {
        if self.secret.len() < SHORTEST {
            return Err(vec!["the secret has fewer than 16 characters".to_owned()]);
        }
        let grant = self.order.lasting(id);
        // A value may be a secret that slipped in, so only the field is told.
        let named = |problem: &twinlane_access::Problem| format!("{} cannot be used", problem.field);
        let grant = grant.map_err(|problems| problems.iter().map(named).collect::<Vec<_>>())?;
        Ok(Client { secret: Secret::new(&self.secret), grant: Arc::new(grant) })
    }
}

fn is_id(id: &str) -> bool {
    crate::route::is_alias(id)
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{config, problems};

    const KEY: &str = "an-example-secret-of-32-bytes-ok";

    #[test]
    fn clients_are_read_from_a_list_and_from_json() {
        let list = format!("a:{KEY}, b:{KEY}:with:colons");
        let access = config(&[("REQUEST_KEYS", &list)]).access;
        assert_eq!(access.clients.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(access.clients["b"].secret.expose(), format!("{KEY}:with:colons"));
        let json = format!(r#"{{"a":"{KEY}","b":{{"secret":"{KEY}","services":["openai"],"rpm":60}}}}"#);
        let access = config(&[("REQUEST_KEYS", &json)]).access;
        assert_eq!(access.clients["b"].grant.services, ["openai"]);
        assert_eq!(access.clients["b"].grant.rates.rpm, Some(60));
        assert_eq!(access.clients["a"].grant.id, "a");
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_is_told() {
        for (setting, value) in [
            ("ADMIN_TOKEN", "s3cret-short"),
            ("REQUEST_KEYS", "s3cret-without-a-name"),
            ("REQUEST_KEYS", "a:s3cret"),
            ("REQUEST_KEYS", "a b:s3cret-s3cret-s3cret"),
            ("REQUEST_KEYS", r#"{"a":{"secret":"s3cret-s3cret-s3cret","budget":"s3cret"}}"#),
            ("REQUEST_KEYS", r#"{"a":{"secret":"s3cret-s3cret-s3cret","s3cret":1}}"#),
            ("REQUEST_KEYS", r#"{"a":{"secret":"s3cret-s3cret-s3cret","rpm":"s3cret"}}"#),
            ("REQUEST_KEYS", r#"{"a":{"services":["s3cret"]}}"#),
            ("REQUEST_KEYS", r#"{"a":7}"#),
            ("REQUEST_KEYS", "{"),
        ] {
            let problems = problems(&[(setting, value)]);
            assert_eq!(problems.len(), 1, "{value}: {problems:?}");
            assert!(problems[0].starts_with(setting) && !problems[0].contains("s3cret"), "{problems:?}");
        }
        let budget = problems(&[("REQUEST_KEYS", &format!(r#"{{"a":{{"secret":"{KEY}","budget":"5"}}}}"#))]);
        assert_eq!(budget, ["REQUEST_KEYS.a: budget cannot be used"]);
    }

    #[test]
    fn an_administrator_s_token_is_nobody_else_s() {
        let both = [("ADMIN_TOKEN", "0123456789abcdef"), ("AUTH_TOKEN", "x,0123456789abcdef")];
        assert_eq!(problems(&both).len(), 1);
    }

    #[test]
    fn the_first_secret_signs_and_only_long_ones_sign_tokens() {
        let both = format!("short, {KEY}");
        let config = config(&[("GATEWAY_SECRET", &both)]);
        assert_eq!(config.access.secrets.len(), 2);
        assert_eq!(config.secret.unwrap().expose(), "short");
        assert_eq!(format!("{:?}", config.access.keyring), "Keyring(1)");
    }
}
