//! Puts a client-side and a provider-side codec together.
