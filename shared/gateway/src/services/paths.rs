//! How the paths clients type become the paths a provider has today.
//!
//! Most providers want their base path in front and nothing else. The others moved house, or never had the `/v1` that
//! every OpenAI-shaped client writes; what clients learnt to type in earlier years keeps working here.

/// The rule of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapping {
    /// The base path, then the path.
    Append,
    /// The base path, then the path without a leading `/v1`; paths below one of these roots are whole already.
    WithoutV1(&'static [&'static str]),
    /// Azure's `/openai/v1`: a path without `/v1` gets one; paths below `/openai` are whole already.
    Azure,
    /// The base path only before OpenAI-shaped calls; the provider's native API is at the root.
    OpenAiShapedOnly,
    /// Hugging Face's router: `/models/…`, the retired host's way to task models, is below `/hf-inference` now.
    HuggingFace,
    /// The base path, unless the path is below one of these roots, which are whole already.
    Unless(&'static [&'static str]),
}

impl Mapping {
    /// The base and the path to put together.
    pub(super) fn apply<'a>(self, base: &'a str, path: &'a str) -> (&'a str, &'a str) {
        match self {
            Self::Append => (base, path),
            Self::WithoutV1(roots) | Self::Unless(roots) if below_any(path, roots) => ("", path),
            Self::WithoutV1(_) => (base, without_v1(path)),
            Self::Unless(_) => (base, path),
            Self::Azure if below_any(path, &["/openai"]) => ("", path),
            Self::Azure => ("/openai/v1", without_v1(path)),
            Self::OpenAiShapedOnly if is_openai_shaped(path) => (base, path),
            Self::OpenAiShapedOnly => ("", path),
            Self::HuggingFace if below_any(path, &["/models"]) => ("/hf-inference", path),
            Self::HuggingFace => (base, path),
        }
    }
}

fn below_any(path: &str, roots: &[&str]) -> bool {
    roots
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn without_v1(path: &str) -> &str {
    path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

fn is_openai_shaped(path: &str) -> bool {
    matches!(path, "/v1/chat/completions" | "/v1/embeddings")
}
