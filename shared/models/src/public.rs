//! The one HTTP client, of models and of webhooks: it goes nowhere but to the public Internet.

use std::{net::SocketAddr, time::Duration};

use domain::{Error, Result, place::is_public};
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client whose calls take so long at most. It follows no redirect and asks no proxy: what it carries is for the
/// address that was checked, and for nobody else.
pub fn client(timeout: Duration, loopback: bool) -> Result<Client> {
    Client::builder()
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .dns_resolver(PublicHosts { loopback })
        .build()
        .map_err(Error::internal)
}

/// Looks names up, and hands on no address that is not the public Internet's: a name of anybody's may stand for an
/// address of this network. Addresses that are written out are not looked up; [`domain::place::Places::check`] judges
/// these.
#[derive(Debug)]
struct PublicHosts {
    loopback: bool,
}

/// A name that stands for no address that may be called.
#[derive(Debug, thiserror::Error)]
#[error("{0} stands for no public address")]
pub(crate) struct NotPublic(String);

impl Resolve for PublicHosts {
    fn resolve(&self, name: Name) -> Resolving {
        let loopback = self.loopback;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed =
                |address: &SocketAddr| is_public(address.ip()) || (loopback && address.ip().is_loopback());
            let addresses: Vec<_> = found.filter(allowed).collect();
            if addresses.is_empty() {
                return Err(NotPublic(name.as_str().to_owned()).into());
            }
            Ok::<Addrs, _>(Box::new(addresses.into_iter()))
        })
    }
}
