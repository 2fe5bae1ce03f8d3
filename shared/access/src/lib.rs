//! Who may call, and what for: what a signed token grants, the token itself, and requests that are signed instead.
//!
//! Nothing here has a clock, a network or settings: the time is given, secrets are given, and what a verdict leads to
//! is the gateway's business. A token is a JWT (HS256), so that any library can make and read one; what it grants is in
//! the token, so that checking one needs no database.

mod budget;
mod denied;
mod glob;
mod grant;
mod hmac;
mod nonces;
mod order;
mod scope;
mod signed;
mod token;

pub use budget::{Amount, Budget, Period};
pub use denied::Denied;
pub use grant::{Grant, Kind, Rates};
pub use nonces::Nonces;
pub use order::{Order, Problem};
pub use scope::{Outside, Scope};
pub use signed::{Digest, Signature, digest, signature_of};
pub use token::{Keyring, SHORTEST_SECRET, is_token};

/// Seconds since 1970.
pub type Seconds = u64;
