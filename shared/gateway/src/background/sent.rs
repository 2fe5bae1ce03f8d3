//! What the edge sends along with a call to the background, whichever way it goes.

use std::time::SystemTime;

use http::HeaderMap;

use crate::auth::{Caller, OWN_HEADER};
use crate::call::Call;
use crate::headers;
use crate::hop::{self, HOPPED, SIGNATURE, Vouched};
use crate::secret::Secret;

/// The headers of a call on its way to the background: the client's own, the gateway token, the id, and the signature.
#[must_use]
pub fn headers(call: &Call, caller: &Caller, secret: Option<&Secret>) -> HeaderMap {
    let mut headers = headers::to_background(call);
    // The token may have come in the query, which the target no longer has; or in this very header, where a second one
    // beside it would be refused.
    if let Some(token) = caller.token.as_ref().and_then(|token| token.header("")) {
        headers.insert(OWN_HEADER, token);
    }
    headers.insert("x-request-id", headers::plain(&call.id));
    headers.insert(HOPPED, headers::plain(1));
    let vouched = Vouched { id: call.id.clone(), address: call.arrival.address };
    let signature =
        secret.and_then(|secret| hop::sign(secret, SystemTime::now(), &call.method, &call.target, &vouched));
    headers.extend(signature.map(|signature| (SIGNATURE, signature)));
    headers
}

#[cfg(test)]
mod tests {
    use crate::auth::Caller;
    use crate::call::tests::call_with;
    use crate::secret::Secret;

    #[test]
    fn the_token_is_shown_once_however_it_came() {
        for came in [&[("x-auth-token", "tok")][..], &[("authorization", "Bearer tok")], &[]] {
            let caller = Caller { token: Some(Secret::new("tok")), ..Caller::unnamed(true) };
            let sent = super::headers(&call_with("POST", "/v1/embeddings", came, "{}"), &caller, None);
            let shown: Vec<_> = sent.get_all("x-auth-token").iter().collect();
            assert_eq!(shown, ["tok"], "{came:?}");
        }
    }
}
