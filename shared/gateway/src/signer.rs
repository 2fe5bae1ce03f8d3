//! The port to a signature: for providers that know their callers by one instead of a key, as Amazon Bedrock knows a
//! function by its role.

use std::fmt;

use bytes::Bytes;
use http::Request;

/// Signs requests to services that are `signed`, where nobody brings a key. A door has it, or nobody does.
pub trait Signer: Send + Sync + fmt::Debug {
    /// Puts a signature into the headers of a request that is otherwise ready. What cannot be signed is sent without,
    /// and refused by the provider.
    fn sign(&self, request: &mut Request<Bytes>);
}
