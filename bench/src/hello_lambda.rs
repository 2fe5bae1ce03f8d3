//! The smallest streaming function on Lambda's Rust runtime: what starting costs before anything of ours.

use lambda_http::{Body, Error, Request, Response, run_with_streaming_response_concurrent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    run_with_streaming_response_concurrent(service_fn(async |_: Request| {
        Ok::<_, Error>(Response::new(Body::from("hello")))
    }))
    .await
}
