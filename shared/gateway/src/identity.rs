//! Who a request says it is: the id it is logged under, and the address it came from.

use std::net::IpAddr;
use std::time::SystemTime;

use http::HeaderMap;
use http::request::Parts;
use uuid::Uuid;

use crate::Arrival;
use crate::hop;
use crate::secret::Secret;

/// The longest id taken over from a client.
const LONGEST: usize = 128;

/// A request's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The id of the call.
    pub id: String,
    /// Whether the client gave the id.
    pub by_client: bool,
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// Whether the edge vouches for both.
    pub vouched: bool,
}

impl Identity {
    /// An id that no other call has: two clients may give theirs the same one.
    #[must_use]
    pub fn own_id(&self) -> String {
        if self.by_client { format!("{}~{}", self.id, Uuid::now_v7().simple()) } else { self.id.clone() }
    }
}

/// The identity of a request: what the edge vouches for, else what the client gave where it is sane, else a new id.
#[must_use]
pub fn of(head: &Parts, arrival: &Arrival, secrets: &[Secret]) -> Identity {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let (now, target) = (SystemTime::now(), crate::route::below_function(target));
    let vouched =
        secrets.iter().find_map(|secret| hop::verify(secret, now, &head.method, target, &head.headers));
    if let Some(vouched) = vouched {
        return Identity { id: vouched.id, by_client: true, address: vouched.address, vouched: true };
    }
    let given = given(&head.headers);
    let by_client = given.is_some();
    Identity {
        id: given.unwrap_or_else(|| Uuid::now_v7().to_string()),
        by_client,
        address: arrival.address,
        vouched: false,
    }
}

/// A client's own id, where it can be logged and sent without harm.
fn given(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    (!id.is_empty() && id.len() <= LONGEST && id.bytes().all(plain)).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::of;
    use crate::Arrival;

    fn id(given: &str) -> (String, bool) {
        let (head, ()) =
            Request::builder().uri("/v1/x").header("x-request-id", given).body(()).unwrap().into_parts();
        let identity = of(&head, &Arrival::now(), &[]);
        (identity.id, identity.by_client)
    }

    #[test]
    fn a_sane_id_is_taken_over_and_any_other_is_replaced() {
        assert_eq!(id("req_abc-123"), ("req_abc-123".to_owned(), true));
        for insane in ["", "a b", "x\ty", "<script>", "a,b", &"a".repeat(129)] {
            let (id, by_client) = id(insane);
            assert!(!by_client && id.len() == 36, "{insane:?} became {id}");
        }
    }
}
