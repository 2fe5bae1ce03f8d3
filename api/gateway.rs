//! Vercel's `/api/gateway`: the edge lane. What it does is in `shared/gateway`; how Vercel calls it, in `shared/vercel`.

#[tokio::main]
async fn main() -> Result<(), vercel_runtime::Error> {
    twinlane_vercel::run(twinlane_gateway::Role::Gateway).await
}
