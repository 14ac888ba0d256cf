//! A tab as a person sees it: pages come, and what they show is awaited until it is there.

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{sleep, timeout},
};

use crate::chromium::Chromium;

/// How long anything may take to appear.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Between two looks at what only a look can tell.
pub(crate) const PAUSE: Duration = Duration::from_millis(25);

/// Somebody's cookies and storage, apart from everybody else's.
struct Profile {
    id: String,
}

impl Drop for Profile {
    fn drop(&mut self) {
        Chromium::get().tell("Target.disposeBrowserContext", &json!({ "browserContextId": self.id }));
    }
}

/// A tab.
pub(crate) struct Tab {
    profile: Arc<Profile>,
    /// `http://127.0.0.1:<port>`.
    pub(crate) origin: String,
    target: String,
    session: String,
    events: UnboundedReceiver<Value>,
    /// What happened since the last page was opened.
    happened: Vec<Value>,
}

impl Tab {
    /// A tab of somebody who was never there.
    pub(crate) async fn open(origin: &str) -> Self {
        let made = Chromium::get().call("", "Target.createBrowserContext", &json!({})).await.unwrap();
        let profile = Arc::new(Profile { id: text(&made, "browserContextId") });
        Self::of(profile, origin).await
    }

    /// Another tab of the same person.
    pub(crate) async fn another(&self) -> Self {
        Self::of(self.profile.clone(), &self.origin).await
    }

    async fn of(profile: Arc<Profile>, origin: &str) -> Self {
        let browser = Chromium::get();
        let wanted = json!({ "url": "about:blank", "browserContextId": profile.id });
        let target = text(&browser.call("", "Target.createTarget", &wanted).await.unwrap(), "targetId");
        let wanted = json!({ "targetId": target, "flatten": true });
        let session = text(&browser.call("", "Target.attachToTarget", &wanted).await.unwrap(), "sessionId");
        let events = browser.events(&session);
        let tab = Self { profile, origin: origin.to_owned(), target, session, events, happened: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({})).await;
        }
        tab.sized(1280, 900).await;
        tab
    }

    /// Closes it.
    pub(crate) async fn close(self) {
        let closed = json!({ "targetId": self.target });
        Chromium::get().call("", "Target.closeTarget", &closed).await.unwrap();
    }

    /// Asks the page by the browser's protocol.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        self.ask(method, params).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) async fn ask(&self, method: &str, params: Value) -> Result<Value, String> {
        Chromium::get().call(&self.session, method, &params).await
    }

    /// As wide and high as this.
    pub(crate) async fn sized(&self, width: u32, height: u32) {
        let phone = width < 600;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// `light` or `dark`, at once.
    pub(crate) async fn coloured(&self, scheme: &str) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Opens a page of the console.
    pub(crate) async fn go(&mut self, path: &str) {
        self.drain();
        let address = format!("{}{path}", self.origin);
        let gone = self.call("Page.navigate", json!({ "url": address })).await;
        assert!(gone["errorText"].is_null(), "{path}: {gone}");
        self.arrives().await;
    }

    /// Forgets what happened before.
    pub(crate) fn drain(&mut self) {
        while self.events.try_recv().is_ok() {}
        self.happened.clear();
    }

    /// Waits until the next page has loaded, and insists that nothing is wrong with it.
    pub(crate) async fn arrives(&mut self) {
        let loaded = async {
            loop {
                let event = self.events.recv().await.expect("the browser runs");
                let loaded = event["method"] == "Page.loadEventFired";
                self.happened.push(event);
                if loaded {
                    break;
                }
            }
        };
        timeout(PATIENCE, loaded).await.expect("a page that was asked for loads");
        self.insist_on_peace();
    }

    /// Insists that no script failed, no policy was broken, and nothing was asked of another place.
    pub(crate) fn insist_on_peace(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.happened.push(event);
        }
        let wrong: Vec<_> = self.happened.iter().filter(|event| is_wrong(event, &self.origin)).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// What happened since the page was opened.
    pub(crate) fn happened(&self) -> &[Value] {
        &self.happened
    }

    /// What a script in the page says; a promise is awaited.
    pub(crate) async fn js<T: DeserializeOwned>(&self, expression: &str) -> T {
        self.try_js(expression).await.unwrap_or_else(|error| panic!("{error}\n{expression}"))
    }

    async fn try_js<T: DeserializeOwned>(&self, expression: &str) -> Result<T, String> {
        let wanted = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.ask("Runtime.evaluate", wanted).await?;
        if answer["exceptionDetails"].is_object() {
            return Err(answer["exceptionDetails"].to_string());
        }
        serde_json::from_value(answer["result"]["value"].take()).map_err(|error| error.to_string())
    }

    /// Waits until a script says yes.
    pub(crate) async fn until(&mut self, condition: &str) {
        let yes = async {
            // While a page goes and the next comes there is nothing to ask.
            while self.try_js::<bool>(condition).await != Ok(true) {
                sleep(PAUSE).await;
            }
        };
        if timeout(PATIENCE, yes).await.is_err() {
            let shown: String = self.js("location.href + '\\n' + document.body.innerText").await;
            panic!("not seen: {condition}\n{shown}");
        }
    }

    /// Waits until the page shows a text.
    pub(crate) async fn sees(&mut self, shown: &str) {
        self.until(&format!("{SHOWN}.includes({})", json!(shown))).await;
    }

    /// Insists that the page does not show a text, now that it shows another.
    pub(crate) async fn sees_but_not(&mut self, shown: &str, hidden: &str) {
        self.sees(shown).await;
        let there: bool = self.js(&format!("{SHOWN}.includes({})", json!(hidden))).await;
        assert!(!there, "the page shows {hidden:?}");
    }

    /// The path and query of the page.
    pub(crate) async fn path(&self) -> String {
        self.js("location.pathname + location.search").await
    }
}

/// What the page shows, on one line.
const SHOWN: &str = "document.body.innerText.replace(/\\s+/g, ' ')";

/// Whether an event is none that a page of ours may cause. That a form was refused is no mistake.
fn is_wrong(event: &Value, origin: &str) -> bool {
    let (method, params) = (event["method"].as_str().unwrap_or_default(), &event["params"]);
    match method {
        "Runtime.exceptionThrown" => true,
        "Runtime.consoleAPICalled" => params["type"] != "log",
        "Log.entryAdded" => {
            let entry = &params["entry"];
            entry["source"] != "network" && (entry["level"] == "warning" || entry["level"] == "error")
        }
        "Network.requestWillBeSent" => {
            let address = params["request"]["url"].as_str().unwrap_or_default();
            !address.starts_with(&format!("{origin}/")) && !address.starts_with("data:")
        }
        _ => false,
    }
}

pub(crate) fn text(of: &Value, member: &str) -> String {
    of[member].as_str().unwrap_or_else(|| panic!("no {member} in {of}")).to_owned()
}
