//! Where calls may go: the form of an address, the hosts that are allowed, and which IP addresses are public.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where this installation's calls may go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Places<'a> {
    /// Whether also to this machine, as the `local` platform's mock needs; it alone is reached over `http`.
    pub loopback: bool,
    /// The only other hosts: a name, or `*.` and a suffix for all names below it. `None`: any public host.
    pub hosts: Option<&'a [String]>,
}

impl Places<'_> {
    /// Whether calls may go to this address: HTTPS to a public host of the list, or this machine where allowed.
    ///
    /// The form is narrower than a URL's, so that no two parsers can disagree on the host: no user, query or
    /// fragment, no escapes in the host, and IPv4 in its one usual spelling. What a name stands for is only known
    /// when it is called, so whoever calls also asks [`is_public`].
    pub fn check(&self, address: &str) -> Result<(), String> {
        let (https, rest) = match address.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err("An address begins with https://.".to_owned()),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_port(authority);
        if !is_host(host) || port.is_some_and(|port| !is_port(port)) || !is_plain(path, b"/._~-") {
            return Err(
                "An address is https://host[:port][/path], without user, query or escapes.".to_owned()
            );
        }
        if is_loopback(host) {
            let here = "An address may not be on this machine here.";
            return if self.loopback { Ok(()) } else { Err(here.to_owned()) };
        }
        if !https {
            return Err("An address begins with https://: nothing of ours travels in clear.".to_owned());
        }
        if host.parse::<Ipv4Addr>().is_ok_and(|address| !is_public(address.into())) {
            return Err(format!("An address is a public one; {host} belongs to a private network."));
        }
        if !self.hosts.is_none_or(|hosts| hosts.iter().any(|pattern| matches(pattern, host))) {
            return Err(format!("This installation calls only the hosts of its list; {host} is not in it."));
        }
        Ok(())
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_plain(text: &str, also: &[u8]) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b))
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

/// A name, or an address in its usual spelling. URL parsers read a name whose last part is a number as an IPv4
/// address, in octal and hexadecimal too, and then nobody looks it up.
fn is_host(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with(|c: char| c.is_ascii_digit())
        && (last.bytes().all(|b| b.is_ascii_digit()) || matches!(last.get(..2), Some("0x" | "0X")));
    if numeric {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    host == "[::1]" || (!host.is_empty() && is_plain(host, b".-"))
}

fn is_loopback(host: &str) -> bool {
    host == "[::1]"
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

fn matches(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    match pattern.strip_prefix('*') {
        Some(suffix) => suffix.starts_with('.') && host.len() > suffix.len() && host.ends_with(suffix),
        None => pattern == host,
    }
}

/// The IPv4 networks that are not the public Internet, by IANA's registry of special purposes (RFC 6890 and later).
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The only IPv6 network of public hosts. Mapped and translated IPv4, ULA, link-local and multicast lie outside.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What in it is not public: protocols (Teredo among them), documentation, and 6to4, which hides an IPv4 address.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is one of the public Internet's.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !SPECIAL_V4
            .iter()
            .any(|(network, prefix)| (v4.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0),
        IpAddr::V6(v6) => {
            let within = |(network, prefix): &(Ipv6Addr, u32)| {
                (v6.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0
            };
            within(&GLOBAL_V6) && !SPECIAL_V6.iter().any(within)
        }
    }
}

#[cfg(test)]
mod tests;
