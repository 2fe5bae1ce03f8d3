use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::{Keyring, is_token};
use crate::{Amount, Budget, Denied, Grant, Kind, Period, Rates};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";

fn ring() -> Keyring {
    Keyring::new([SECRET])
}

fn grant() -> Grant {
    Grant {
        id: "id-1".to_owned(),
        name: "alice".to_owned(),
        services: vec!["openai".to_owned()],
        budget: Some(Budget { amount: Amount::MicroDollars(5_000_000), per: Period::Month }),
        budget_id: "id-1".to_owned(),
        issued: 1000,
        expires: Some(2000),
        ..Grant::default()
    }
}

/// A token with this header and these claims, signed as it should be.
fn signed(header: &str, claims: &str) -> String {
    let head = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = ring::hmac::sign(&key, head.as_bytes());
    format!("{head}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

fn header(alg: &str) -> String {
    format!(r#"{{"typ":"twinlane+jwt","alg":"{alg}","kid":"{}"}}"#, ring().0[0].id)
}

const CLAIMS: &str = r#"{"aud":"twinlane","jti":"x","iat":1000,"exp":2000}"#;

#[test]
fn what_was_signed_is_granted_in_its_time() {
    let token = ring().sign(&grant()).unwrap();
    assert!(is_token(token.as_bytes()));
    assert_eq!(ring().verify(token.as_bytes(), 1500), Ok(grant()));
    assert_eq!(ring().verify(token.as_bytes(), 2030), Err(Denied::Expired));
    assert_eq!(ring().verify(token.as_bytes(), 969), Err(Denied::NotYet));
    assert_eq!(ring().open(signed(&header("HS256"), CLAIMS).as_bytes()).unwrap().id, "x");
}

#[test]
fn the_first_secret_signs_and_every_one_verifies() {
    let old = Keyring::new([SECRET]).sign(&grant()).unwrap();
    let both = Keyring::new([OTHER, SECRET]);
    assert_eq!(both.open(old.as_bytes()), Ok(grant()));
    let new = both.sign(&grant()).unwrap();
    assert_eq!(Keyring::new([OTHER]).open(new.as_bytes()), Ok(grant()));
    assert_eq!(Keyring::new([OTHER]).open(old.as_bytes()), Err(Denied::Foreign));
    assert_eq!(Keyring::default().open(old.as_bytes()), Err(Denied::Foreign));
}

#[test]
fn a_short_secret_signs_nothing() {
    let short = Keyring::new(["short", &SECRET[1..]]);
    assert!(short.is_empty() && short.sign(&grant()).is_none());
}

#[test]
fn no_other_algorithm_is_taken() {
    for alg in ["none", "None", "HS384", "HS512", "RS256", "ES256", "EdDSA", ""] {
        let token = signed(&header(alg), CLAIMS);
        assert_eq!(ring().open(token.as_bytes()), Err(Denied::Malformed), "{alg}");
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        assert!(ring().open(format!("{unsigned}.").as_bytes()).is_err(), "{alg}");
    }
}

#[test]
fn a_header_of_another_kind_is_refused() {
    let kid = &ring().0[0].id;
    for (header, expected) in [
        (format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{kid}"}}"#), Denied::Malformed),
        (r#"{"typ":"twinlane+jwt","alg":"HS256"}"#.to_owned(), Denied::Foreign),
        (r#"{"typ":"twinlane+jwt","alg":"HS256","kid":"other"}"#.to_owned(), Denied::Foreign),
        (
            format!(r#"{{"typ":"twinlane+jwt","alg":"HS256","kid":"{kid}","crit":["exp"]}}"#),
            Denied::Malformed,
        ),
    ] {
        assert_eq!(ring().open(signed(&header, CLAIMS).as_bytes()), Err(expected), "{header}");
    }
}

#[test]
fn claims_that_are_not_a_grant_are_refused() {
    for claims in [
        "{}",
        "[]",
        "null",
        r#"{"jti":"x","iat":1,"exp":2}"#,
        r#"{"aud":"other","jti":"x","iat":1,"exp":2}"#,
        r#"{"aud":["twinlane","other"],"jti":"x","iat":1,"exp":2}"#,
        r#"{"aud":"twinlane","iat":1,"exp":2}"#,
        r#"{"aud":"twinlane","jti":"x","iat":1}"#,
        r#"{"aud":"twinlane","jti":"x","exp":2}"#,
        r#"{"aud":"twinlane","jti":"x","iat":1,"exp":"2"}"#,
        r#"{"aud":"twinlane","jti":"x","iat":1,"exp":-2}"#,
        r#"{"aud":"twinlane","jti":"x\ny","iat":1,"exp":2}"#,
        r#"{"aud":"twinlane","jti":"","iat":1,"exp":2}"#,
        r#"{"aud":"twinlane","jti":"x","iat":1,"exp":2,"regions":["eu"]}"#,
        r#"{"aud":"twinlane","jti":"x","iat":1,"exp":2,"budget":"much"}"#,
        r#"{"aud":"twinlane","jti":"x","iat":1,"exp":2,"services":"openai"}"#,
        r#"{"aud":"twinlane","jti":"x","iat":1,"exp":2,"kind":"browser"}"#,
        r#"{"aud":"twinlane","jti":"x","iat":1,"exp":3602,"kind":"browser","origins":["https://a.example"]}"#,
    ] {
        assert_eq!(
            ring().open(signed(&header("HS256"), claims).as_bytes()),
            Err(Denied::Malformed),
            "{claims}"
        );
    }
}

#[test]
fn a_provider_s_key_is_not_mistaken_for_a_token() {
    for key in [
        "",
        "sk-proj-abc",
        "..",
        "a.b.c",
        "a.b.c.d",
        // A JWT, as MiniMax, Zhipu and Azure take them.
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    ] {
        assert!(!is_token(key.as_bytes()), "{key}");
    }
    assert!(is_token(signed(&header("none"), "{}").as_bytes()), "ours, though not valid");
}

#[test]
fn a_grant_that_makes_no_header_is_not_signed_and_a_long_token_is_not_read() {
    let wide = Grant { models: vec!["m".repeat(200); 20], ..grant() };
    assert_eq!(ring().sign(&wide), None);
    let long = format!("{}{}", ring().sign(&grant()).unwrap(), "A".repeat(4096));
    assert_eq!(ring().open(long.as_bytes()), Err(Denied::TooLong));
}

#[test]
fn a_keyring_prints_nothing_of_its_secrets() {
    assert_eq!(format!("{:?}", ring()), "Keyring(1)");
}

prop_compose! {
    fn any_grant()(
        id in "[a-zA-Z0-9._-]{1,60}",
        name in ".{0,30}",
        lists in prop::collection::vec(prop::collection::vec(".{1,20}", 0..4), 3),
        numbers in prop::collection::vec(prop::option::of(1..u64::MAX), 4),
        budget in prop::option::of((1..u64::MAX, any::<bool>())),
        budget_id in prop::option::of("[a-z]{1,10}"),
        browser: bool,
        issued in 0..u64::from(u32::MAX),
        span in 1..3600_u64,
    ) -> Grant {
        let kind = if browser { Kind::Browser } else { Kind::Server };
        let origins = if browser { vec!["https://a.example".to_owned()] } else { Vec::new() };
        let budget = budget.map(|(amount, day)| Budget {
            amount: Amount::Tokens(amount),
            per: if day { Period::Day } else { Period::Month },
        });
        Grant {
            budget_id: budget_id.unwrap_or_else(|| id.clone()),
            id, name, kind, origins, budget, issued,
            services: lists[0].clone(), models: lists[1].clone(), paths: lists[2].clone(),
            rates: Rates { rpm: numbers[0], tpm: numbers[1], streams: numbers[2] },
            max_tokens: numbers[3],
            expires: Some(issued + span),
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_signed_is_read_back(grant in any_grant()) {
        let token = ring().sign(&grant).unwrap();
        prop_assert_eq!(ring().open(token.as_bytes()), Ok(grant));
    }

    #[test]
    fn a_token_with_one_bit_changed_is_refused(grant in any_grant(), at: prop::sample::Index, bit in 0..8_u8) {
        let mut token = ring().sign(&grant).unwrap().into_bytes();
        let at = at.index(token.len());
        token[at] ^= 1 << bit;
        prop_assert!(ring().open(&token).is_err());
    }

    #[test]
    fn no_text_panics_or_is_granted(text in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(ring().open(&text).is_err());
    }

    #[test]
    fn nothing_in_a_token_s_shape_panics_or_is_granted(header in ".{0,40}", claims in ".{0,80}", tag in "[A-Za-z0-9_-]{0,50}") {
        let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let token = format!("{}.{}.{tag}", parts[0], parts[1]);
        prop_assert!(ring().open(token.as_bytes()).is_err());
    }
}
