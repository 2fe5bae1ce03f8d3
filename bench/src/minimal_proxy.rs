//! The minimal proxy as a program: `minimal-proxy PORT UPSTREAM` listens on 127.0.0.1 and stands before `http://UPSTREAM`.

mod floor;

use std::net::Ipv4Addr;

use tokio::net::TcpListener;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, upstream] = &arguments[..] else { return Err("usage: minimal-proxy PORT UPSTREAM".into()) };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse()?)).await?;
    floor::serve(listener, upstream.parse()?).await
}
