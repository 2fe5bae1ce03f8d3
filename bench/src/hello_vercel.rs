//! The smallest function on Vercel's Rust runtime: what starting costs before anything of ours.

use vercel_runtime::{Error, Request, Response, ResponseBody, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(async |_: Request| Ok::<_, Error>(Response::new(ResponseBody::from("hello"))))).await
}
