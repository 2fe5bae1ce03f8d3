//! Vercel's `/api/background`: the background lane, with a long timeout and more memory.

#[tokio::main]
async fn main() -> Result<(), vercel_runtime::Error> {
    twinlane_vercel::run(twinlane_gateway::Role::Background).await
}
