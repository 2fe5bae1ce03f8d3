//! How a script gets to the server and its answer back. A server is first asked by the script's hash, and given the
//! script itself where it does not know it: after a restart, for one.

use twinlane_store::Unavailable;

use crate::reply::Reply;
use crate::rest::Rest;
use crate::scripts::Script;
use crate::tcp::Tcp;

/// A script with what it is to work on.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) script: &'a Script,
    pub(crate) keys: Vec<String>,
    pub(crate) args: Vec<String>,
}

/// Why an order has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server has not seen the script. Nothing has happened.
    Unknown,
    /// Something else; the order may have been carried out.
    Lost(Unavailable),
}

#[derive(Debug)]
pub(crate) enum Wire {
    Tcp(Box<Tcp>),
    Rest(Rest),
}

impl Order<'_> {
    /// The words of the command.
    pub(crate) fn words<'a>(&'a self, verb: &'a str, script: &'a str) -> impl Iterator<Item = String> {
        let head = [verb.to_owned(), script.to_owned(), self.keys.len().to_string()];
        head.into_iter().chain(self.keys.iter().cloned()).chain(self.args.iter().cloned())
    }
}

impl Wire {
    pub(crate) async fn run(&self, order: &Order<'_>) -> Result<Reply, Unavailable> {
        match self.send(order, "EVALSHA", order.script.hash()).await {
            Err(Failure::Unknown) => self.send(order, "EVAL", order.script.text).await.map_err(Failure::into),
            answer => answer.map_err(Failure::into),
        }
    }

    async fn send(&self, order: &Order<'_>, verb: &str, script: &str) -> Result<Reply, Failure> {
        match self {
            Self::Tcp(tcp) => tcp.send(order.words(verb, script)).await,
            Self::Rest(rest) => rest.send(order.words(verb, script)).await,
        }
    }
}

impl From<Failure> for Unavailable {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unknown => Self("Redis does not take scripts".to_owned()),
            Failure::Lost(unavailable) => unavailable,
        }
    }
}

impl From<Unavailable> for Failure {
    fn from(unavailable: Unavailable) -> Self {
        Self::Lost(unavailable)
    }
}
