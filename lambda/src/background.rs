//! The background function on AWS Lambda.

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    twinlane_lambda::run(twinlane_gateway::Role::Background).await
}
