//! A store over an engine of its own, behind a proxy that injects faults.

use domain::Sources;
use store::{Names, Store};
use testkit::{Engines, Expired, clients, fault::FaultProxy};

pub(crate) struct Scene {
    pub(crate) store: Store,
    pub(crate) sources: Sources,
    pub(crate) proxy: FaultProxy,
    _engines: Engines,
}

pub(crate) async fn start() -> Scene {
    let engines = Engines::ephemeral(Expired::Kept).await.unwrap();
    let proxy = FaultProxy::start(&engines.endpoints().dynamodb).unwrap();
    let mut endpoints = engines.endpoints().clone();
    endpoints.dynamodb = proxy.url();
    let clients = clients(&endpoints);
    let names = Names {
        registry: "registry".to_owned(),
        telemetry: "telemetry".to_owned(),
        bucket: "sets".to_owned(),
        archive: None,
    };
    let store = Store::new(clients.dynamodb, clients.s3, names);
    store.create_missing().await.unwrap();
    let (sources, _clock) = testkit::sources(1);
    Scene { store, sources, proxy, _engines: engines }
}
