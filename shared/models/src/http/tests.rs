//! Where the client goes.

use domain::model::Provider;

use super::*;
use crate::fixture::{entry, listening};

fn http(loopback: bool, hosts: Option<&[String]>) -> Http {
    Http::new(Duration::from_secs(5), Places { loopback, hosts }, Secrets::new(|_| None)).unwrap()
}

#[tokio::test]
async fn a_name_of_this_machine_is_called_only_where_that_is_allowed() {
    let (origin, seen) = listening("{}".to_owned()).await;
    // The check of the address is passed by: a public name may come to stand for any address.
    let named = origin.replace("127.0.0.1", "localhost");
    let called = async |loopback: bool| {
        let call = http(loopback, None).client.post(&named).body("{}");
        answer::<Value>(call, None, "an object").await
    };
    called(true).await.unwrap();
    let error = called(false).await.unwrap_err();
    let CallError::Misconfigured { detail } = &error else { panic!("{error:?}") };
    assert!(detail.contains("localhost stands for no public address"), "{detail}");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn a_call_is_begun_only_to_an_allowed_address() {
    let model = |base_url: Option<&str>| ModelEntry {
        base_url: base_url.map(str::to_owned),
        ..entry(Provider::Anthropic, "")
    };
    let listed = http(true, Some(&["*.models.example".to_owned()]));
    for (base_url, allowed) in [
        (Some("https://a.models.example/"), true),
        (Some("http://127.0.0.1:1"), true),
        (Some("https://other.example"), false),
        (None, false),
    ] {
        assert_eq!(listed.post(&model(base_url), "/v1").is_ok(), allowed, "{base_url:?}");
    }
    let anywhere = http(false, None);
    let call = anywhere.post(&model(None), "/v1/messages").unwrap().build().unwrap();
    assert_eq!(call.url().as_str(), "https://api.anthropic.com/v1/messages");
    for host in ["127.0.0.1", "169.254.169.254", "10.1.2.3"] {
        let error = anywhere.post(&model(Some(&format!("https://{host}"))), "/v1").unwrap_err();
        assert!(matches!(error, CallError::Misconfigured { .. }), "{error:?}");
    }
}
