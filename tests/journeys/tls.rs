//! The cache as it is on AWS: behind TLS, and with a user whose password is a token that was signed here.

use std::{fs, net::SocketAddr, sync::Arc};

use e2e::{FleetSettings, cache_program};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use runtime::configuration::name::{CACHE_NAME, CACHE_URL, CACHE_USER};
use tempfile::TempDir;
use testkit::cache_server::CacheServer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::{lambda::Lambda, processes::Reader, processes::source};

/// An authority of a test, and who proves by its certificate to be 127.0.0.1.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) server: TlsAcceptor,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let server = server.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![server.der().clone()], key).unwrap();
        Self { authority: authority.pem(), server: Arc::new(config).into() }
    }
}

/// Ends TLS in front of a server, which knows none, and keeps the first words of each connection.
pub(crate) struct TlsFront {
    pub(crate) address: SocketAddr,
    pub(crate) greetings: watch::Receiver<Vec<String>>,
    _serving: JoinSet<()>,
}

impl TlsFront {
    pub(crate) fn start(listener: TcpListener, acceptor: TlsAcceptor, server: SocketAddr) -> Self {
        let address = listener.local_addr().unwrap();
        let (greeted, greetings) = watch::channel(Vec::new());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass(acceptor.clone(), client, server, greeted.clone()));
            }
        });
        Self { address, greetings, _serving: serving }
    }
}

/// A client that does not trust the certificate ends here.
async fn pass(
    acceptor: TlsAcceptor,
    client: TcpStream,
    server: SocketAddr,
    greeted: watch::Sender<Vec<String>>,
) -> Option<()> {
    let mut client = acceptor.accept(client).await.ok()?;
    let mut server = TcpStream::connect(server).await.ok()?;
    let mut first = vec![0; 16 * 1024];
    let length = client.read(&mut first).await.ok()?;
    first.truncate(length);
    greeted.send_modify(|all| all.push(String::from_utf8_lossy(&first).into_owned()));
    server.write_all(&first).await.ok()?;
    copy_bidirectional(&mut client, &mut server).await.ok().map(|_| ())
}

/// Nobody but `cuecard` may come in, whose password IAM would check.
async fn ask_for_a_login(cache: &CacheServer) {
    let client = redis::Client::open(cache.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for rule in ["cuecard on nopass ~* &* +@all", "default off"] {
        let rule: Vec<_> = rule.split(' ').collect();
        redis::cmd("ACL").arg("SETUSER").arg(rule).exec_async(&mut connection).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_logs_into_a_cache_that_it_trusts_with_a_token_and_leaves_others_alone() {
    let cache = CacheServer::start(&cache_program()).await.unwrap();
    ask_for_a_login(&cache).await;
    let Certificates { authority, server } = Certificates::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = TlsFront::start(listener, server, cache.address());
    let folder = TempDir::new().unwrap();
    let trusted = folder.path().join("authority.pem");
    fs::write(&trusted, authority).unwrap();
    let lambda = Lambda::start(FleetSettings { sandboxes: 1, ..FleetSettings::default() }).await;
    let (prompt, [version, _]) = lambda.prompt("greeter").await;
    lambda.promote(&prompt, &version).await;
    let (key, _) = lambda.resolver().await;

    let url = format!("rediss://{}", front.address);
    let with_login = [(CACHE_URL, url.as_str()), (CACHE_USER, "cuecard"), (CACHE_NAME, "prompts")];
    let trusting = [with_login.as_slice(), &[("SSL_CERT_FILE", trusted.to_str().unwrap())]].concat();
    let mut sources = Vec::new();
    for variables in [&trusting[..], &trusting[..], &with_login[..]] {
        let answer = Reader::of(&lambda, variables).resolve(&key, "greeter").await;
        assert_eq!(answer.expect(200)["resolved_text"], "one");
        sources.push(source(&answer).to_owned());
    }
    assert_eq!(sources, ["table", "cache", "table"]);
    let greetings = front.greetings.borrow();
    assert_eq!(greetings.len(), 2, "who does not trust the certificate says nothing: {greetings:?}");
    for greeting in greetings.iter() {
        assert!(greeting.contains("prompts/?Action=connect&User=cuecard&"), "{greeting}");
        assert!(greeting.contains("X-Amz-Signature="), "{greeting}");
    }
}
