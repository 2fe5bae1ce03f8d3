//! What a call needs, and who pays for it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use twinlane_access::Grant;

use super::bill::{self, Tokens};
use crate::auth::{Auth, Caller};
use crate::call::Call;
use crate::record::{self, Record};
use crate::scan::Asked;
use crate::unified::plan::Plan;
use crate::{Arrival, usage};

/// The longest that a call without an end of its own holds its place among the streams, and its part of a budget.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Whose call it is, by the names under which limits, budgets and the usage log know them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payer {
    /// The token, by its id.
    pub(super) token: Option<String>,
    /// The token's name for people.
    pub(super) name: Option<String>,
    /// The session.
    pub(super) session: Option<String>,
    /// The address.
    pub(super) address: Option<IpAddr>,
    /// What the token grants.
    pub(super) grant: Option<Arc<Grant>>,
}

impl Payer {
    /// Who pays for a call: its token, session and address, as far as they are known.
    pub(crate) fn of(caller: &Caller, auth: &Auth, record: &Record) -> Self {
        let plain = || auth.place_of(caller.token.as_ref()?).map(|place| format!("auth-{place}"));
        Self {
            token: caller.grant.as_ref().map(|grant| grant.id.clone()).or_else(plain),
            name: caller.grant.as_ref().map(|grant| grant.name.clone()),
            session: record.session.clone(),
            address: record.address,
            grant: caller.grant.clone(),
        }
    }
}

/// What a call needs of its caller's limits and budgets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Need {
    /// The provider that is asked first.
    pub(super) service: String,
    /// The model, as it was asked for.
    pub(super) model: Option<String>,
    /// Whether a model is to work.
    pub(super) works: bool,
    /// About how many tokens the prompt has.
    pub(super) prompt: u64,
    /// The most that each answer may have, where the client says.
    pub(super) most: Option<u64>,
    /// How many answers there are to be.
    pub(super) answers: u64,
    /// Whether the answer is to be a stream.
    pub(super) stream: bool,
    /// How long the call may take.
    pub(super) lasts: Duration,
}

impl Need {
    /// What a call of one service needs: a model's work, where it names a model or its path leads to one, and it asks for
    /// more than a number.
    pub(crate) fn of_call(call: &Call, model: Option<String>, asked: &Asked) -> Self {
        let counts = ["/count_tokens", ":countTokens"].iter().any(|ending| call.path.ends_with(ending));
        let need = Self {
            service: call.service.alias.clone(),
            works: !counts && (model.is_some() || usage::works(&call.method, &call.path)),
            model,
            stream: call.stream.is_asked(),
            lasts: lasts(call.deadline, &call.arrival),
            ..Self::default()
        };
        need.asking(asked)
    }

    /// What a call of the unified API needs; nothing where the gateway answers of its own knowledge.
    pub(crate) fn of_plan(plan: &Plan) -> Option<Self> {
        let received = &plan.received;
        let named = Some(&plan.model).filter(|model| !model.is_empty() && received.method == Method::POST);
        let works = named.is_some() || usage::works(&received.method, &received.path);
        let need = Self {
            service: plan.targets.first().map(|target| target.service.alias.clone()).unwrap_or_default(),
            model: named.cloned().map(record::name),
            works: works && !plan.endpoint.is_counting(),
            stream: plan.stream.is_asked(),
            lasts: lasts(received.deadline, &received.arrival),
            ..Self::default()
        };
        (!plan.endpoint.is_own_page()).then(|| need.asking(&received.asked))
    }

    /// The same, with what the body asks for where a model is to work.
    fn asking(self, asked: &Asked) -> Self {
        if !self.works {
            return self;
        }
        let (prompt, most) = (asked.prompt_tokens(), asked.most_tokens);
        Self { prompt, most, answers: asked.answers(), ..self }
    }

    /// About how many tokens it will cost: all that the answer may have, since nobody knows how long it will be.
    pub(super) fn estimate(&self) -> Tokens {
        if !self.works {
            return Tokens::default();
        }
        let each = self.most.unwrap_or(bill::USUAL_ANSWER);
        Tokens::of(self.prompt, each.saturating_mul(self.answers.max(1)))
    }
}

/// How long a call may take.
fn lasts(deadline: Option<Instant>, arrival: &Arrival) -> Duration {
    let lasts = deadline.map(|deadline| deadline.saturating_duration_since(arrival.at));
    lasts.unwrap_or(LONGEST).min(LONGEST)
}
