//! Sessions: a client's own word for calls that belong together, in the log and for limits.

use http::HeaderMap;
use http::header::COOKIE;

/// The header that names a session.
const HEADER: &str = "x-session-id";
/// The cookie that does.
const COOKIE_NAME: &str = "session_id";
/// The longest name of a session.
const LONGEST: usize = 128;

/// The session that a request says it belongs to, by its header or else by its cookie. What cannot be logged without
/// harm names none.
#[must_use]
pub fn of(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(HEADER).and_then(|id| id.to_str().ok());
    header.filter(|id| is_sane(id)).or_else(|| by_cookie(headers)).map(str::to_owned)
}

fn by_cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, id)| id.trim_matches('"')).filter(|id| is_sane(id))
}

fn is_sane(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@+/=".contains(&byte);
    !id.is_empty() && id.len() <= LONGEST && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::of;

    fn check(headers: &[(&str, &str)], expected: Option<&str>) {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        assert_eq!(of(&headers).as_deref(), expected, "{headers:?}");
    }

    #[test]
    fn a_session_is_named_by_its_header_or_its_cookie() {
        check(&[], None);
        check(&[("x-session-id", "s-1")], Some("s-1"));
        check(&[("cookie", "a=b; session_id=s-2; c=d")], Some("s-2"));
        check(&[("cookie", "session_id=\"s-2\"")], Some("s-2"));
        check(&[("x-session-id", "s-1"), ("cookie", "session_id=s-2")], Some("s-1"));
        check(&[("cookie", "my_session_id=s-2")], None);
    }

    #[test]
    fn what_cannot_be_logged_names_none() {
        for bad in ["", "a b", "<script>", "a,b", &"a".repeat(129)] {
            check(&[("x-session-id", bad)], None);
        }
        check(&[("x-session-id", "a b"), ("cookie", "session_id=s-2")], Some("s-2"));
    }
}
