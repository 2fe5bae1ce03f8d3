//! Understands how a call wants to be treated, and refuses what it cannot understand.
//!
//! A misspelt wish is answered 400: a test that believes it is mistreated must not pass because it was not.

use std::str::FromStr;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::flavour::Flavour;
use crate::malformed::Malformed;
use crate::scene::{self, Scene};

/// The pause before each piece of a stream, so that a reader sees it stream.
pub(crate) const USUAL_PAUSE: Duration = Duration::from_millis(25);
/// A delta or a text is padded to no more characters than this.
const MOST_PADDING: usize = 64 << 20;
/// After how many pieces a body is cut, and a stream falls silent or fails, unless the call says otherwise.
const USUAL_CUT: usize = 2;

/// Everything a call may wish for: how its reply looks, and what goes wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(crate) shape: Shape,
    pub(crate) mischief: Mischief,
    /// Only the first so many calls with this key are mistreated.
    pub(crate) times: Option<(u32, String)>,
}

/// The pace and size of a well-behaved reply, whose accent it has, and what happens in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) flavour: Flavour,
    pub(crate) scene: Scene,
    pub(crate) pause: Option<Duration>,
    pub(crate) chunks: Option<usize>,
    pub(crate) bytes: Option<usize>,
}

/// What goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mischief {
    pub(crate) delay: Duration,
    pub(crate) status: Option<StatusCode>,
    pub(crate) retry_after: Option<String>,
    pub(crate) act: Option<Act>,
}

/// The one thing that is done to the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Never answers.
    SilentHead,
    /// Sends the head and so many pieces, then nothing for ever.
    SilentAfter(usize),
    /// Closes before any byte.
    CutHead,
    /// Resets before any byte.
    ResetHead,
    /// Closes in the middle of the body.
    CutBody(usize),
    /// Resets in the middle of the body.
    ResetBody(usize),
    /// Ends a stream properly, but without its terminal event; after so many pieces or all of them.
    EndEarly(Option<usize>),
    /// Ends a stream properly, after so many pieces, with an error in the dialect's words; what is no stream
    /// is an error from the start.
    Fail(usize),
    /// Writes bytes that are not the reply HTTP asks for.
    Malformed(Malformed),
}

impl Wishes {
    /// Reads the wishes from the headers, and from the model's name where the headers have none.
    pub(crate) fn read(headers: &HeaderMap, model: &str) -> Result<Self, String> {
        let asked = Mischief::from_headers(headers)?;
        let named = scene::wishes(model);
        Ok(Self {
            shape: Shape::from_headers(headers, named.shape)?,
            mischief: if asked == Mischief::default() { named.mischief } else { asked },
            times: times(headers)?,
        })
    }

    /// The same wishes without mischief.
    pub(crate) fn behaved(self) -> Self {
        Self { mischief: Mischief::default(), ..self }
    }
}

impl Shape {
    /// The same, with a flavour unless one was wished for.
    pub(crate) fn or_flavour(self, flavour: Flavour) -> Self {
        if self.flavour == Flavour::Plain { Self { flavour, ..self } } else { self }
    }

    /// What the headers say, and where they say nothing, what the model's name did.
    fn from_headers(headers: &HeaderMap, named: Self) -> Result<Self, String> {
        Ok(Self {
            flavour: word(headers, "x-demo-flavour", Flavour::named)?.unwrap_or(named.flavour),
            scene: named.scene,
            pause: number(headers, "x-demo-chunk-delay-ms")?.map(Duration::from_millis).or(named.pause),
            chunks: number(headers, "x-demo-chunks")?,
            bytes: word(headers, "x-demo-bytes", |text| text.parse().ok().filter(|n| *n <= MOST_PADDING))?,
        })
    }
}

impl Mischief {
    fn from_headers(headers: &HeaderMap) -> Result<Self, String> {
        Ok(Self {
            delay: Duration::from_millis(number(headers, "x-demo-delay-ms")?.unwrap_or_default()),
            status: word(headers, "x-demo-status", final_status)?,
            retry_after: text(headers, "x-demo-retry-after")?.map(str::to_owned),
            act: act(headers)?,
        })
    }
}

/// A status that ends a call; 1xx does not.
pub(crate) fn final_status(text: &str) -> Option<StatusCode> {
    StatusCode::from_str(text).ok().filter(|status| !status.is_informational())
}

fn act(headers: &HeaderMap) -> Result<Option<Act>, String> {
    let after = number(headers, "x-demo-cut-after")?;
    let malformed = word(headers, "x-demo-malformed", Malformed::named)?.map(Act::Malformed);
    let cut = word(headers, "x-demo-cut", |how| cut(how, after))?;
    let silence = word(headers, "x-demo-silence", |how| silence(how, after))?;
    Ok(malformed.or(cut).or(silence))
}

fn cut(how: &str, after: Option<usize>) -> Option<Act> {
    let pieces = after.unwrap_or(USUAL_CUT);
    match how {
        "head" => Some(Act::CutHead),
        "reset" => Some(Act::ResetHead),
        "body" => Some(Act::CutBody(pieces)),
        "body-reset" => Some(Act::ResetBody(pieces)),
        "clean" => Some(Act::EndEarly(after)),
        "error" => Some(Act::Fail(pieces)),
        _ => None,
    }
}

fn silence(how: &str, after: Option<usize>) -> Option<Act> {
    match how {
        "head" => Some(Act::SilentHead),
        "stream" => Some(Act::SilentAfter(after.unwrap_or(USUAL_CUT))),
        _ => None,
    }
}

fn times(headers: &HeaderMap) -> Result<Option<(u32, String)>, String> {
    match (number(headers, "x-demo-times")?, text(headers, "x-demo-key")?) {
        (Some(times), Some(key)) => Ok(Some((times, key.to_owned()))),
        (Some(_), None) => Err("x-demo-times needs x-demo-key, to know which calls to count.".to_owned()),
        (None, _) => Ok(None),
    }
}

fn number<N: FromStr>(headers: &HeaderMap, name: &str) -> Result<Option<N>, String> {
    word(headers, name, |text| text.parse().ok())
}

fn word<T>(headers: &HeaderMap, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
    let Some(text) = text(headers, name)? else { return Ok(None) };
    read(text).map(Some).ok_or_else(|| format!("{name} does not know the value {text:?}."))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, String> {
    let unreadable = |_| format!("{name} is not text.");
    headers.get(name).map(|value| value.to_str().map(str::trim).map_err(unreadable)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(pairs: &[(&'static str, &'static str)], model: &str) -> Result<Wishes, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        Wishes::read(&headers, model)
    }

    fn act_of(pairs: &[(&'static str, &'static str)]) -> Option<Act> {
        wishes(pairs, "").unwrap().mischief.act
    }

    #[test]
    fn a_call_without_wishes_is_treated_well() {
        assert_eq!(wishes(&[], "gpt-4o"), Ok(Wishes::default()));
    }

    #[test]
    fn each_header_means_what_the_table_says() {
        assert_eq!(act_of(&[("x-demo-silence", "head")]), Some(Act::SilentHead));
        assert_eq!(act_of(&[("x-demo-silence", "stream")]), Some(Act::SilentAfter(2)));
        assert_eq!(act_of(&[("x-demo-cut", "head")]), Some(Act::CutHead));
        assert_eq!(act_of(&[("x-demo-cut", "reset")]), Some(Act::ResetHead));
        assert_eq!(act_of(&[("x-demo-cut", "body")]), Some(Act::CutBody(2)));
        assert_eq!(
            act_of(&[("x-demo-cut", "body-reset"), ("x-demo-cut-after", "0")]),
            Some(Act::ResetBody(0))
        );
        assert_eq!(act_of(&[("x-demo-cut", "clean")]), Some(Act::EndEarly(None)));
        assert_eq!(act_of(&[("x-demo-cut", "error"), ("x-demo-cut-after", "3")]), Some(Act::Fail(3)));
        assert_eq!(act_of(&[("x-demo-malformed", "http09")]), Some(Act::Malformed(Malformed::Http09)));
    }

    #[test]
    fn a_misspelt_wish_is_refused_by_name() {
        let refused = wishes(&[("x-demo-cut", "haed")], "").unwrap_err();
        assert!(refused.contains("x-demo-cut") && refused.contains("haed"), "{refused}");
        assert!(wishes(&[("x-demo-status", "103")], "").is_err());
        assert!(wishes(&[("x-demo-bytes", "99999999999")], "").is_err());
        assert!(wishes(&[("x-demo-times", "2")], "").is_err());
        assert!(wishes(&[("x-demo-flavour", "vanilla")], "").is_err());
    }

    #[test]
    fn a_model_name_is_a_wish_unless_a_header_wishes_otherwise() {
        let of = |model| wishes(&[], model).unwrap().mischief;
        assert_eq!(of("demo/demo-error-503").status, Some(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(of("demo-silent").act, Some(Act::SilentHead));
        assert_eq!(of("demo-error-nonsense"), Mischief::default());
        let flavour = wishes(&[("x-demo-flavour", "groq")], "demo-flavour-xai").unwrap().shape.flavour;
        assert_eq!(flavour, Flavour::Groq);
        let both = wishes(&[("x-demo-cut", "head")], "demo-error-500").unwrap().mischief;
        assert_eq!((both.act, both.status), (Some(Act::CutHead), None));
    }
}
