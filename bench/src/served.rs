//! The server between client and provider, on a thread of its own that does everything in one order.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime;
use twinlane_gateway::body::streaming;
use twinlane_gateway::{Arrival, Config, Door, Gateway, Platform, Role, Tokenizers};

use crate::exchange::Between;
use crate::said::TOKEN;
use crate::{Error, floor};

/// Starts a server that has one provider, and tells where it listens.
pub(crate) fn start(between: Between, provider: SocketAddr) -> Result<SocketAddr, Error> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || {
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            match between {
                Between::Floor => floor::serve(listener, provider.to_string().parse()?).await,
                Between::Gateway => gateway(listener, provider).await,
            }
        })
    });
    Ok(address)
}

/// The gateway with all that a deployment has on: admission, limits, the usage log and the lines of a platform's log.
async fn gateway(listener: TcpListener, provider: SocketAddr) -> Result<(), Error> {
    let services = format!(r#"{{"bench":{{"host":"http://{provider}"}}}}"#);
    let settings = [
        ("AUTH_TOKEN", TOKEN),
        ("DEFAULT_SERVICE", "bench"),
        ("LIMIT_RPM", "100000000"),
        ("LIMIT_TPM_PER_TOKEN", "100000000000"),
        ("LOG_FORMAT", "json"),
        ("PROXY_CONFIG", &services),
        ("STORE", "memory"),
    ];
    let config = Config::read(settings, Platform::Local);
    let equip = |gateway: Gateway| Ok(gateway.counting_with(Tokenizers::embedded()));
    let door = Arc::new(Door::equipped(config, Role::Gateway, equip));
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let door = Arc::clone(&door);
        let answer = service_fn(move |request: Request<Incoming>| {
            let door = Arc::clone(&door);
            let arrival = Arrival { address: Some(peer.ip()), loopback: true, ..Arrival::now() };
            async move { Ok::<_, Error>(door.answer(request.map(streaming), arrival).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}
