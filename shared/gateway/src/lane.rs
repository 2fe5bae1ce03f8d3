//! Decides which of the two functions carries a call, and says why.

use std::fmt;

use http::Method;

use crate::call::Call;

/// One of the two functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The fast function that talks to the client.
    Edge,
    /// The second function, with a long timeout and more memory.
    Background,
}

impl Lane {
    /// The lane as `x-processing-mode` names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Background => "background",
        }
    }
}

/// What put a call on its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// GET, HEAD or OPTIONS.
    Read,
    /// The client asked for a stream.
    Stream,
    /// None of the reasons for the background holds.
    SmallBody,
    /// The body is above the size the edge lane takes.
    LargeBody,
    /// Embeddings, by path.
    Embeddings,
    /// Files and uploads, by path.
    Files,
    /// Batches, by path.
    Batches,
    /// Fine-tuning, by path.
    FineTuning,
    /// Speech and transcription, by path.
    Audio,
    /// Image and video generation, by path.
    Images,
    /// There is no background lane here.
    BackgroundOff,
    /// The background lane could not be reached, and the edge lane took over.
    Fallback,
    /// This is the background function: every call it gets is its own.
    Called,
}

impl fmt::Display for Why {
    /// The reason as `x-lane-reason` names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Why {
    /// The reason as `x-lane-reason` and the log name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Stream => "stream",
            Self::SmallBody => "small-body",
            Self::LargeBody => "large-body",
            Self::Embeddings => "embeddings",
            Self::Files => "files",
            Self::Batches => "batches",
            Self::FineTuning => "fine-tuning",
            Self::Audio => "audio",
            Self::Images => "images",
            Self::BackgroundOff => "background-off",
            Self::Fallback => "fallback",
            Self::Called => "called",
        }
    }
}

/// A lane with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Which function carries the call.
    pub lane: Lane,
    /// What made it so.
    pub why: Why,
}

impl Choice {
    /// The edge lane, for a reason.
    #[must_use]
    pub fn edge(why: Why) -> Self {
        Self { lane: Lane::Edge, why }
    }

    /// The background lane, for a reason.
    #[must_use]
    pub fn background(why: Why) -> Self {
        Self { lane: Lane::Background, why }
    }
}

/// Chooses the lane of a call; bodies above `large` bytes go to the background.
///
/// Reads and streams stay at the edge whatever else holds: they answer at once, and a second function in between would
/// only add to the first byte.
#[must_use]
pub fn choose(call: &Call, large: usize) -> Choice {
    if matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Choice::edge(Why::Read);
    }
    if call.stream.is_asked() {
        return Choice::edge(Why::Stream);
    }
    match heavy(&call.path) {
        Some(why) => Choice::background(why),
        None if call.body.len() > large => Choice::background(Why::LargeBody),
        None => Choice::edge(Why::SmallBody),
    }
}

/// Whether a path is work for the background, in any provider's spelling.
fn heavy(path: &str) -> Option<Why> {
    let last = path.rsplit('/').next().unwrap_or(path);
    let verb = last.rsplit_once(':').map_or("", |(_, verb)| verb);
    by_verb(verb).or_else(|| path.split('/').find_map(by_segment))
}

/// Gemini's spelling: the verb after the colon of the last segment.
fn by_verb(verb: &str) -> Option<Why> {
    match verb {
        "embedContent" | "batchEmbedContents" | "asyncBatchEmbedContent" => Some(Why::Embeddings),
        "batchGenerateContent" => Some(Why::Batches),
        "predict" | "predictLongRunning" | "generateImages" => Some(Why::Images),
        _ => None,
    }
}

/// Everybody else's: a segment of the path. `embed` is Cohere's, `tunedModels` Gemini's, `fine-tunes` the old OpenAI's.
fn by_segment(segment: &str) -> Option<Why> {
    match segment {
        "embeddings" | "embed" => Some(Why::Embeddings),
        "files" | "uploads" | "upload" => Some(Why::Files),
        "batches" | "batch" => Some(Why::Batches),
        "fine_tuning" | "fine-tuning" | "fine-tunes" | "tunedModels" => Some(Why::FineTuning),
        "audio" | "speech" | "transcriptions" | "text-to-speech" | "speech-to-text" => Some(Why::Audio),
        "images" | "image" | "videos" => Some(Why::Images),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Why, choose};
    use crate::call::tests::call;

    const LARGE: usize = 100;

    fn check(method: &str, path: &str, body: &str, expected: Choice) {
        assert_eq!(choose(&call(method, path, body), LARGE), expected, "{method} {path} {body}");
    }

    #[test]
    fn reads_stay_at_the_edge_whatever_their_path() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            check(method, "/v1/files/file-1/content", "", Choice::edge(Why::Read));
        }
    }

    #[test]
    fn streams_stay_at_the_edge_however_large() {
        let large = format!(r#"{{"stream":true,"input":"{}"}}"#, "x".repeat(LARGE));
        check("POST", "/v1/chat/completions", &large, Choice::edge(Why::Stream));
        check("POST", "/v1/audio/speech", &large, Choice::edge(Why::Stream));
        check("POST", "/v1beta/models/g:streamGenerateContent", "{}", Choice::edge(Why::Stream));
        check("POST", "/v1/completions?stream=true", "{}", Choice::edge(Why::Stream));
    }

    #[test]
    fn small_bodies_stay_at_the_edge_up_to_the_limit() {
        check("POST", "/v1/chat/completions", "{}", Choice::edge(Why::SmallBody));
        check("POST", "/v1/chat/completions", &"x".repeat(LARGE), Choice::edge(Why::SmallBody));
        check("POST", "/v1/chat/completions", &"x".repeat(LARGE + 1), Choice::background(Why::LargeBody));
    }

    #[test]
    fn heavy_work_goes_to_the_background_in_every_spelling() {
        for (path, why) in [
            ("/v1/embeddings", Why::Embeddings),
            ("/v2/embed", Why::Embeddings),
            ("/v1beta/models/e:embedContent", Why::Embeddings),
            ("/v1beta/models/e:batchEmbedContents", Why::Embeddings),
            ("/v1/files", Why::Files),
            ("/upload/v1beta/files", Why::Files),
            ("/v1/uploads/u-1/parts", Why::Files),
            ("/v1/batches", Why::Batches),
            ("/v1/messages/batches", Why::Batches),
            ("/v1beta/models/g:batchGenerateContent", Why::Batches),
            ("/v1/fine_tuning/jobs", Why::FineTuning),
            ("/v1beta/tunedModels", Why::FineTuning),
            ("/v1/audio/transcriptions", Why::Audio),
            ("/v1/images/generations", Why::Images),
            ("/v1beta/models/imagen-4:predict", Why::Images),
            ("/openai/deployments/d/embeddings", Why::Embeddings),
        ] {
            check("POST", path, "{}", Choice::background(why));
        }
    }

    #[test]
    fn a_model_named_after_heavy_work_is_not_heavy() {
        check(
            "POST",
            "/v1beta/models/gemini-audio-images:generateContent",
            "{}",
            Choice::edge(Why::SmallBody),
        );
    }
}
