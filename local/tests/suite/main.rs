//! The platform as a value in this process, and as the program that people start.
#![expect(clippy::unwrap_used, reason = "tests")]

mod command_line;
mod platform;
mod restore;

use std::time::Duration;

use serde_json::Value;

/// A client that asks the platform itself, whatever proxy the host uses.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap()
}

/// A GET with a key: status and JSON.
async fn get(url: &str, key: &str) -> (u16, Value) {
    let answer = client().get(url).bearer_auth(key).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
