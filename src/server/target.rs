//! Which addresses subscriptions may post to: the public ones, by TLS.
//!
//! A firm chooses the address, and this server calls it from inside the operator's network. So nothing
//! that is private may be reached: neither by a literal address, nor by a name that stands for one. What
//! a name stands for is checked where the connection is made, by the very addresses that are connected
//! to; a name that changes its mind between a check and the call gains nothing. Redirects are not
//! followed, and no proxy is used.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::api::webhook::TargetRule;

/// How long a connection may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a post may take altogether.
const POST_WITHIN: Duration = Duration::from_secs(10);
/// Connections to one host that are kept for the next post.
const IDLE_PER_HOST_MAX: usize = 2;
/// For how long they are kept.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// What is said of an address that may not be called.
pub const PRIVATE: &str = "is or stands for an address that is not public";

/// IPv4 networks that are not public: those that IANA lists as special.
const NOT_PUBLIC_V4: [&str; 19] = [
    "0.0.0.0/8",       // this network
    "10.0.0.0/8",      // private
    "100.64.0.0/10",   // shared by carriers' customers
    "127.0.0.0/8",     // loopback
    "169.254.0.0/16",  // link-local, and metadata of clouds
    "172.16.0.0/12",   // private
    "192.0.0.0/24",    // protocol assignments
    "192.0.2.0/24",    // documentation
    "192.31.196.0/24", // AS112
    "192.52.193.0/24", // multicast tunnels
    "192.88.99.0/24",  // relays from IPv6
    "192.168.0.0/16",  // private
    "192.175.48.0/24", // AS112
    "198.18.0.0/15",   // benchmarks
    "198.51.100.0/24", // documentation
    "203.0.113.0/24",  // documentation
    "224.0.0.0/4",     // multicast
    "240.0.0.0/4",     // reserved
    "255.255.255.255/32",
];
/// Of IPv6, only what is global unicast is public at all.
const GLOBAL_V6: &str = "2000::/3";
/// Networks within it that are not.
const NOT_PUBLIC_V6: [&str; 5] = [
    "2001::/23",     // protocol assignments, tunnels among them
    "2001:db8::/32", // documentation
    "2002::/16",     // stands for IPv4 addresses
    "3fff::/20",     // documentation
    "3ffe::/16",     // a network of old tests
];
/// Where a translator puts the IPv4 address that it stands for into the last four bytes.
const TRANSLATED_V6: &str = "64:ff9b::/96";

static REFUSED_V4: LazyLock<Vec<Ipv4Net>> = LazyLock::new(|| nets(&NOT_PUBLIC_V4));
static REFUSED_V6: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| nets(&NOT_PUBLIC_V6));

/// Tests read every one of them, so none is left out by accident.
fn nets<N: std::str::FromStr>(written: &[&str]) -> Vec<N> {
    written.iter().filter_map(|net| net.parse().ok()).collect()
}

fn is_in(net: &str, address: Ipv6Addr) -> bool {
    net.parse::<Ipv6Net>()
        .is_ok_and(|net| net.contains(&address))
}

/// Whether an address is one of the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !REFUSED_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) if is_in(TRANSLATED_V6, address) => {
            let [.., a, b, c, d] = address.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            is_in(GLOBAL_V6, address) && !REFUSED_V6.iter().any(|net| net.contains(&address))
        }
    }
}

/// The rule by which targets are taken.
#[must_use]
pub fn rule(private_targets: bool) -> TargetRule {
    if private_targets {
        any_target
    } else {
        public_target
    }
}

fn public_target(target: &str) -> Result<(), &'static str> {
    check(target, false)
}

fn any_target(target: &str) -> Result<(), &'static str> {
    check(target, true)
}

/// Whether a target may be called, as far as its address tells.
fn check(target: &str, private_targets: bool) -> Result<(), &'static str> {
    let url = Url::parse(target).map_err(|_| "must be an https address")?;
    match url.scheme() {
        "https" => {}
        "http" if private_targets => {}
        _ => return Err("must be an https address"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user or a password");
    }
    if url.fragment().is_some() {
        return Err("must not contain a fragment");
    }
    let address = match url.host() {
        None => return Err("must name a host"),
        Some(Host::Domain(_)) => None,
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
    };
    if private_targets || address.is_none_or(is_public) {
        return Ok(());
    }
    Err(PRIVATE)
}

/// Addresses of a name, or why there are none.
pub type Looked = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// How names are looked up; tests answer themselves.
pub trait LookUp: Send + Sync {
    /// The addresses that a name stands for.
    fn look_up(&self, name: &str) -> Looked;
}

/// Looks names up as the operating system does.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookUp;

impl LookUp for SystemLookUp {
    fn look_up(&self, name: &str) -> Looked {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.collect())
        })
    }
}

/// Resolves names for connections, and gives out none that stand for private addresses.
struct Guard {
    look_up: Arc<dyn LookUp>,
    private_targets: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let looked = self.look_up.look_up(name.as_str());
        let private_targets = self.private_targets;
        Box::pin(async move {
            let found = looked.await?;
            // A public name that stands for one private address, too, is after something.
            let is_fine = private_targets || found.iter().all(|found| is_public(found.ip()));
            if !is_fine {
                return Err(PRIVATE.into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// The client by which subscriptions are posted.
///
/// # Errors
/// If the machine has no certificates to trust.
pub fn client(
    look_up: Arc<dyn LookUp>,
    private_targets: bool,
) -> Result<reqwest::Client, reqwest::Error> {
    let guard = Guard {
        look_up,
        private_targets,
    };
    reqwest::Client::builder()
        .dns_resolver(Arc::new(guard))
        .https_only(!private_targets)
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_WITHIN)
        .timeout(POST_WITHIN)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .user_agent(concat!("entente/", env!("CARGO_PKG_VERSION")))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_read() {
        assert_eq!(REFUSED_V4.len(), NOT_PUBLIC_V4.len());
        assert_eq!(REFUSED_V6.len(), NOT_PUBLIC_V6.len());
    }

    /// The first and the last address of each network, and those next to it.
    #[test]
    fn networks_end_where_they_should() {
        for net in REFUSED_V4.iter() {
            let (first, last) = (net.network(), net.broadcast());
            assert!(!is_public(first.into()) && !is_public(last.into()), "{net}");
            let before = u32::from(first).checked_sub(1).map(Ipv4Addr::from);
            let after = u32::from(last).checked_add(1).map(Ipv4Addr::from);
            for beside in [before, after].into_iter().flatten() {
                let others = REFUSED_V4.iter().filter(|other| other.contains(&beside));
                assert_eq!(is_public(beside.into()), others.count() == 0, "{beside}");
            }
        }
        for net in REFUSED_V6.iter() {
            let (first, last) = (net.network(), net.broadcast());
            assert!(!is_public(first.into()) && !is_public(last.into()), "{net}");
        }
    }

    #[test]
    fn addresses_of_every_range() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn targets_by_their_address() {
        for good in [
            "https://psa.example/hook",
            "https://psa.example:8443/hook?x=1",
            "https://8.8.8.8/",
        ] {
            assert_eq!(check(good, false), Ok(()), "{good}");
        }
        for bad in [
            "",
            "psa.example",
            "http://psa.example/",
            "ftp://psa.example/",
            "https://",
            "https://me:secret@psa.example/",
            "https://me@psa.example/",
            "https://psa.example/#x",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
        ] {
            assert!(check(bad, false).is_err(), "{bad}");
        }
        assert_eq!(check("http://127.0.0.1:1/", true), Ok(()));
        assert!(check("ftp://127.0.0.1/", true).is_err());
    }

    /// Answers whatever is asked with certain addresses.
    struct Answering(Vec<IpAddr>);

    impl LookUp for Answering {
        fn look_up(&self, _name: &str) -> Looked {
            let found = self.0.iter().map(|address| (*address, 0).into()).collect();
            Box::pin(async move { Ok(found) })
        }
    }

    async fn resolved(addresses: &[&str], private_targets: bool) -> Result<usize, String> {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        let guard = Guard {
            look_up: Arc::new(Answering(addresses.collect())),
            private_targets,
        };
        let found = guard.resolve("psa.example".parse().unwrap()).await;
        found
            .map(Iterator::count)
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn names_that_stand_for_private_addresses_are_not_resolved() {
        assert_eq!(
            resolved(&["8.8.8.8", "2606:4700::1111"], false).await,
            Ok(2)
        );
        for private in [
            &["10.0.0.1"][..],
            &["8.8.8.8", "127.0.0.1"],
            &["::1"],
            &["fd00::1"],
        ] {
            assert_eq!(resolved(private, false).await, Err(PRIVATE.to_owned()));
        }
        assert_eq!(resolved(&["127.0.0.1"], true).await, Ok(1));
    }
}
