//! Which addresses an image may be fetched from: those of the public internet. Pure.
//!
//! A client that names `http://169.254.169.254/…` or a host of the operator's own network must not have it read by the
//! gateway. IPv4 is public but for a list; IPv6 is public where it is global unicast, but for a list.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// What of IPv4 is not public: the beginnings, and how many of their bits count.
const NOT_PUBLIC_V4: &[(Ipv4Addr, u32)] = &[
    // This network, by which Linux means this machine.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Between carriers and their customers; Alibaba's metadata service is in it.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Azure's metadata, at a public address that only its own machines reach.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Link-local, and every other cloud's metadata service.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments; Oracle's metadata service is in it.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Three networks for documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Relays of 6to4, long abandoned.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast, and all that is reserved, broadcast among it.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// The part of IPv6 that is given out for use on the internet. Loopback, link-local, unique local (with Amazon's metadata
/// service), site-local and multicast addresses are all outside.
const GLOBAL: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What of that part is not public all the same.
const NOT_PUBLIC_V6: &[(Ipv6Addr, u32)] = &[
    // Protocol assignments: Teredo, which embeds other addresses, benchmarks, overlay identifiers.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Two networks for documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(net, bits): &(Ipv4Addr, u32)| (address.to_bits() ^ net.to_bits()) >> (32 - bits) == 0;
    !NOT_PUBLIC_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |(net, bits): &(Ipv6Addr, u32)| (address.to_bits() ^ net.to_bits()) >> (128 - bits) == 0;
    match embedded(address) {
        Some(inner) => is_public_v4(inner),
        None => within(&GLOBAL) && !NOT_PUBLIC_V6.iter().any(within),
    }
}

/// The IPv4 address that a packet to an IPv6 address may end up at: v4-mapped, NAT64 (where the internet is reached by
/// it), 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::is_public;

    fn check(addresses: &str, expected: bool) {
        for address in addresses.split_whitespace() {
            assert_eq!(is_public(address.parse().expect(address)), expected, "{address}");
        }
    }

    #[test]
    fn the_public_internet_is_public() {
        check("1.1.1.1 8.8.8.8 93.184.216.34 151.101.1.140 223.255.255.254", true);
        check("2606:4700:4700::1111 2001:4860:4860::8888 2a00:1450:4001:82a::200e 2400::1", true);
        check("2001:200::1 2003::1 3ffe::1", true);
    }

    #[test]
    fn what_lies_beside_a_forbidden_network_is_public() {
        check("1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0", true);
        check("169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0", true);
        check("191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 198.17.255.255", true);
        check("198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255", true);
        check("168.63.129.15 168.63.129.17 2001:db7:ffff:ffff:: 2001:db9:: 3ffe:ffff::", true);
    }

    #[test]
    fn this_machine_and_its_networks_are_not() {
        check("0.0.0.0 0.255.255.255 127.0.0.1 127.255.255.255 :: ::1", false);
        check("10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255", false);
        check("100.64.0.0 100.127.255.255 169.254.0.0 169.254.255.255", false);
        check("fe80:: fe80::1 febf:ffff:: fc00:: fd00::1 fdff:ffff:: fec0::1", false);
    }

    #[test]
    fn the_clouds_metadata_is_not() {
        check("169.254.169.254 169.254.170.2 100.100.100.200 192.0.0.192 168.63.129.16 fd00:ec2::254", false);
        check("fd20:ce::254 fe80::a9fe:a9fe", false);
    }

    #[test]
    fn what_nobody_may_have_is_not() {
        check("192.0.0.0 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.1 198.18.0.0 198.19.255.255", false);
        check("198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255", false);
        check("224.0.0.0 239.255.255.255 240.0.0.0 255.255.255.254 255.255.255.255", false);
        check("2001::1 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff:: 2001:db8::1 2001:db8:ffff::", false);
        check("3fff::1 3fff:fff:ffff:: 100::1 1000::1 4000::1 5f00::1 ff00:: ff02::1 ffff::", false);
    }

    #[test]
    fn an_address_inside_another_is_judged() {
        check("::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808:: 2002:808:808:1::1", true);
        check("::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0", false);
        check("64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b::c0a8:1", false);
        check("2002:7f00:1:: 2002:a00:1::1 2002:c0a8:101:: 2002:a9fe:a9fe::1", false);
        // Neither the deprecated v4-compatible form, nor translated (SIIT), nor a network's own NAT64.
        check("::127.0.0.1 ::8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b:1::8.8.8.8 64:ff9b::1:8.8.8.8", false);
    }

    proptest! {
        #[test]
        fn no_form_of_an_ipv4_address_is_public_where_the_address_is_not(bits: u32) {
            let v4 = std::net::Ipv4Addr::from_bits(bits);
            let (high, low) = ((bits >> 16) as u16, bits as u16);
            let forms = [
                v4.to_ipv6_mapped(),
                std::net::Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                std::net::Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ];
            for form in forms {
                prop_assert_eq!(is_public(form.into()), is_public(v4.into()));
            }
        }

        #[test]
        fn the_standard_library_forbids_nothing_that_is_allowed_here(bits: u32) {
            let v4 = std::net::Ipv4Addr::from_bits(bits);
            let known = v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified();
            prop_assert!(!(known && is_public(v4.into())), "{}", v4);
        }
    }
}
