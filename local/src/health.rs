//! `twinlane health`: asks the gateway on this machine whether it is up. For containers, whose images have no curl.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use twinlane_gateway::config::Server;

/// How long the gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether `/health` answers 200.
pub(crate) fn is_up(settings: &Server) -> bool {
    ask(address(settings)).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}

fn address(settings: &Server) -> SocketAddr {
    let host = match settings.host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, settings.port)
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
