//! The scripts, each with the hash by which a server knows it once it has seen it.

use std::sync::LazyLock;

/// A Lua script.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) text: &'static str,
    hash: LazyLock<String>,
}

impl Script {
    /// The name under which `EVALSHA` finds it.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }
}

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) static $name: Script = Script {
            text: include_str!(concat!("scripts/", $file)),
            hash: LazyLock::new(|| hash(include_str!(concat!("scripts/", $file)))),
        };)*
    };
}

scripts! {
    APPEND = "append.lua";
    BALANCE = "balance.lua";
    CORRECT = "correct.lua";
    DELETE = "delete.lua";
    ENTER = "enter.lua";
    FORGET = "forget.lua";
    GET = "get.lua";
    KEYS = "keys.lua";
    LEAVE = "leave.lua";
    PUT = "put.lua";
    RECORDS = "records.lua";
    RESERVE = "reserve.lua";
    SETTLE = "settle.lua";
    SPEND = "spend.lua";
    TIDY = "tidy.lua";
}

fn hash(text: &str) -> String {
    redis::Script::new(text).get_hash().to_owned()
}
