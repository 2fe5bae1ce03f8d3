//! What a script answers, whichever way the answer came.

use redis::Value as Resp;
use serde_json::Value as Json;
use twinlane_store::Unavailable;

/// The few kinds of answer that our scripts give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Nothing,
    Number(i64),
    Text(String),
    List(Vec<Self>),
}

impl Reply {
    pub(crate) fn of_resp(value: Resp) -> Result<Self, Unavailable> {
        match value {
            Resp::Nil => Ok(Self::Nothing),
            Resp::Int(number) => Ok(Self::Number(number)),
            Resp::BulkString(text) => String::from_utf8(text).map(Self::Text).map_err(|_| nonsense()),
            Resp::Array(list) => {
                list.into_iter().map(Self::of_resp).collect::<Result<_, _>>().map(Self::List)
            }
            _ => Err(nonsense()),
        }
    }

    pub(crate) fn of_json(value: Json) -> Result<Self, Unavailable> {
        match value {
            Json::Null => Ok(Self::Nothing),
            Json::Number(number) => number.as_i64().map(Self::Number).ok_or_else(nonsense),
            Json::String(text) => Ok(Self::Text(text)),
            Json::Array(list) => {
                list.into_iter().map(Self::of_json).collect::<Result<_, _>>().map(Self::List)
            }
            _ => Err(nonsense()),
        }
    }

    /// A number, or one that was written as text to be exact.
    pub(crate) fn number(&self) -> Result<u64, Unavailable> {
        match self {
            Self::Number(number) => u64::try_from(*number).map_err(|_| nonsense()),
            Self::Text(text) => text.parse().map_err(|_| nonsense()),
            _ => Err(nonsense()),
        }
    }

    pub(crate) fn yes(&self) -> Result<bool, Unavailable> {
        self.number().map(|number| number > 0)
    }

    pub(crate) fn text(self) -> Result<Option<String>, Unavailable> {
        match self {
            Self::Nothing => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            _ => Err(nonsense()),
        }
    }

    pub(crate) fn list(self) -> Result<Vec<Self>, Unavailable> {
        match self {
            Self::List(list) => Ok(list),
            _ => Err(nonsense()),
        }
    }

    /// A list of numbers, of which there are as many as were asked for.
    pub(crate) fn numbers<const N: usize>(self) -> Result<[u64; N], Unavailable> {
        let numbers: Vec<u64> = self.list()?.iter().map(Self::number).collect::<Result<_, _>>()?;
        numbers.try_into().map_err(|_| nonsense())
    }
}

/// An answer that our scripts do not give: somebody else's keys, or no Redis at all.
pub(crate) fn nonsense() -> Unavailable {
    Unavailable("Redis gave an answer that makes no sense here".to_owned())
}
