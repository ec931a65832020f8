//! As whom somebody sends samples to an engine that asks nobody who they are. Pure.
//!
//! By the user who has logged in, otherwise by the address. Labels such as `job` and `instance` do not tell senders apart: whoever sends them chooses
//! them, so that a limit for each would be none. All senders write into the same series, so that it does not matter when one changes its address.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::Extensions;
use observe_receive::writer::SenderName;
use web::PeerAddress;

use super::front::LoggedIn;

/// The sender of a request.
pub(super) fn sender_of(request: &Extensions) -> SenderName {
    let user = request.get::<LoggedIn>().map(|user| format!("user/{}", user.0));
    let address = || request.get::<PeerAddress>().map(|peer| of_address(peer.0.ip()));
    SenderName { space: String::new(), sender: user.or_else(address).unwrap_or_default() }
}

/// An IPv4 address, or the /64 network of an IPv6 one: each host has as many addresses of it as it likes (RFC 4291, 2.5.1).
fn of_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) if address.is_loopback() => address.to_string(),
        IpAddr::V6(address) => {
            let network = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
            format!("{network}/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_told_apart_by_user_and_by_address() {
        let of = |address: &str| {
            let mut request = Extensions::new();
            request.insert(PeerAddress(address.parse().unwrap()));
            sender_of(&request).sender
        };
        assert_eq!(of("192.0.2.7:4711"), "192.0.2.7");
        assert_eq!(of("[::ffff:192.0.2.7]:1"), "192.0.2.7");
        assert_eq!(of("[2001:db8:1:2:3:4:5:6]:1"), "2001:db8:1:2::/64");
        assert_eq!(of("[2001:db8:1:2:ffff::1]:1"), "2001:db8:1:2::/64");
        assert_eq!(of("[::1]:1"), "::1");
        let mut request = Extensions::new();
        assert_eq!(sender_of(&request), SenderName::default());
        request.insert(PeerAddress("192.0.2.7:4711".parse().unwrap()));
        request.insert(LoggedIn("ana".to_owned()));
        assert_eq!(sender_of(&request).shown(), "user/ana");
    }
}
