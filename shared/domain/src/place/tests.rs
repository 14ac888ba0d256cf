//! Addresses that may be called, and those that must not.

use proptest::prelude::*;

use super::*;

const ANYWHERE: Places<'_> = Places { loopback: false, hosts: None };
const HERE_TOO: Places<'_> = Places { loopback: true, hosts: None };

#[test]
fn calls_leave_over_https_or_stay_on_this_machine_where_allowed() {
    for url in ["https://api.example.com/v1", "https://api.example.com:8443", "https://1.1.1.1/v1/"] {
        assert_eq!(ANYWHERE.check(url), Ok(()), "{url}");
        assert_eq!(HERE_TOO.check(url), Ok(()), "{url}");
    }
    for url in
        ["http://127.0.0.1:7070/mock/v1", "http://localhost/v1", "http://[::1]:80", "https://127.9.9.9"]
    {
        assert_eq!(HERE_TOO.check(url), Ok(()), "{url}");
        assert!(ANYWHERE.check(url).is_err(), "{url}");
    }
}

#[test]
fn what_is_no_plain_address_of_a_public_host_is_refused() {
    for url in [
        "http://api.example.com",
        "http://0.0.0.0",
        "http://169.254.169.254/latest",
        "http://127.0.0.1@example.com",
        "http://127.0.0.1:80@example.com",
        "http://localhost.example.com",
        "http://[::ffff:127.0.0.1]",
        "https://[::ffff:127.0.0.1]",
        "https://[fd00::1]",
        "https://a\\@b",
        "https://example.com/v1?key=1",
        "https://example.com/#x",
        "https://example.com:99999",
        "https://example.com:",
        "https://example.com:+443",
        "https:///v1",
        "https://exa mple.com",
        "ftp://example.com",
        "HTTPS://example.com",
        "example.com",
        "",
    ] {
        assert!(HERE_TOO.check(url).is_err(), "{url}");
    }
}

#[test]
fn private_addresses_are_refused_in_every_spelling() {
    for host in [
        "10.0.0.7",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.100",
        "0.0.0.0",
        "224.0.0.1",
        // URL parsers take each of these for an IPv4 address.
        "127.1",
        "2130706433",
        "0x7f000001",
        "0X7F.1",
        "127.0.0.0x1",
        "0177.0.0.1",
        "10.0.0.7.",
        "example.1",
    ] {
        for scheme in ["http", "https"] {
            assert!(HERE_TOO.check(&format!("{scheme}://{host}/v1")).is_err(), "{scheme} {host}");
        }
    }
    for host in ["4chan.example.com", "example.0xyz.com", "v1.3com", "1.com"] {
        assert_eq!(ANYWHERE.check(&format!("https://{host}")), Ok(()), "{host}");
    }
}

#[test]
fn only_hosts_of_the_list_are_called_where_there_is_one() {
    let hosts = ["api.example.com".to_owned(), "*.Models.example".to_owned(), "*".to_owned()];
    let places = Places { loopback: false, hosts: Some(&hosts) };
    for url in ["https://api.example.com/v1", "https://API.example.com", "https://a.b.models.example:8443"] {
        assert_eq!(places.check(url), Ok(()), "{url}");
    }
    for url in [
        "https://example.com",
        "https://x.api.example.com",
        "https://api.example.com.evil.example",
        "https://models.example",
        "https://.models.example",
        "https://evilmodels.example",
        "https://api.example.com.",
        "http://api.example.com",
        "http://localhost",
    ] {
        assert!(places.check(url).is_err(), "{url}");
    }
    assert!(Places { loopback: true, ..places }.check("http://localhost:1").is_ok());
    let none = Places { loopback: false, hosts: Some(&[]) };
    assert!(none.check("https://api.example.com").unwrap_err().contains("api.example.com"));
}

#[test]
fn networks_end_where_they_end() {
    let public = |address: &str| is_public(address.parse().unwrap());
    for address in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::",
        "2001:200::",
        "2001:db7::",
        "2001:db9::",
        "2003::",
        "2606:4700::1111",
        "3ffe:ffff::",
        "3fff:1000::",
    ] {
        assert!(public(address), "{address}");
    }
    for address in [
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.255",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1ff::",
        "2001:db8::1",
        "2002:808:808::1",
        "3fff:fff::1",
        "4000::",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!public(address), "{address}");
    }
}

proptest! {
    #[test]
    fn what_the_standard_library_knows_as_special_is_not_public(bits: u32, low in 0..6_usize) {
        // Most addresses are public, so the special networks are drawn on purpose.
        let prefix = [0x0a00_0000, 0x7f00_0000, 0xa9fe_0000, 0xc0a8_0000, 0xe000_0000, 0][low];
        for bits in [bits, prefix | (bits & 0xffff)] {
            let v4 = Ipv4Addr::from_bits(bits);
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified();
            prop_assert!(!(special && is_public(v4.into())), "{}", v4);
            prop_assert!(!is_public(v4.to_ipv6_mapped().into()) && !is_public(v4.to_ipv6_compatible().into()));
        }
    }

    #[test]
    fn any_text_is_judged_without_a_panic_and_what_passes_has_a_plain_host(url in "(https?://)?\\PC{0,30}") {
        if HERE_TOO.check(&url).is_ok() {
            prop_assert!(url.is_ascii() && !url.contains(['@', '?', '#', '%', '\\', ' ']), "{}", url);
        }
    }
}
