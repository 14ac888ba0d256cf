//! A tab as a person uses it: things are found by the names that a screen reader says, clicked where they are seen, and
//! awaited until they are there.

use std::path::Path;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::tab::{PATIENCE, PAUSE, Tab, text};

/// What is clicked.
const CLICKED: [&str; 4] = ["button", "link", "checkbox", "DisclosureTriangle"];

/// What is filled in.
const FILLED: [&str; 3] = ["textbox", "searchbox", "combobox"];

impl Tab {
    /// Clicks on what has this name.
    pub(crate) async fn click(&mut self, name: &str) {
        let node = self.find("document", &CLICKED, name).await;
        self.press(&node).await;
    }

    /// Clicks on what has this name, and waits for the page to which it leads.
    pub(crate) async fn follow(&mut self, name: &str) {
        self.follow_in("document", name).await;
    }

    /// The same in the first row of a table that is called so.
    pub(crate) async fn follow_in_row(&mut self, row: &str, name: &str) {
        let rows = "[...document.querySelectorAll('tbody tr')]";
        let row = format!("{rows}.find(row => row.querySelector('th').innerText.includes({}))", json!(row));
        self.follow_in(&row, name).await;
    }

    async fn follow_in(&mut self, place: &str, name: &str) {
        let node = self.find(place, &CLICKED, name).await;
        self.drain();
        self.press(&node).await;
        self.arrives().await;
    }

    /// Types a text over what a field holds.
    pub(crate) async fn fill(&mut self, label: &str, text: &str) {
        let node = self.find("document", &FILLED, label).await;
        self.call("DOM.focus", json!({ "backendNodeId": node })).await;
        self.on(&node, "function () { this.select(); }", &[]).await;
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Chooses what a list shows.
    pub(crate) async fn choose(&mut self, label: &str, option: &str) {
        let node = self.find("document", &FILLED, label).await;
        let choose = "function (text) {
            const option = [...this.options].find(option => option.text.includes(text));
            if (!option) throw new Error(`no option ${text}`);
            option.selected = true;
            for (const kind of ['input', 'change']) this.dispatchEvent(new Event(kind, { bubbles: true }));
        }";
        self.on(&node, choose, &[json!({ "value": option })]).await;
    }

    /// Chooses a file of this machine, where the page asks for one.
    pub(crate) async fn upload(&mut self, file: &Path) {
        let field = json!({ "expression": "document.querySelector('input[type=file]')" });
        let field = self.call("Runtime.evaluate", field).await;
        let files = json!({ "files": [file], "objectId": field["result"]["objectId"] });
        self.call("DOM.setFileInputFiles", files).await;
    }

    /// What a field holds.
    pub(crate) async fn value(&mut self, label: &str) -> String {
        let node = self.find("document", &FILLED, label).await;
        let value = self.on(&node, "function () { return this.value; }", &[]).await;
        text(&value, "value")
    }

    /// Presses a key and lets it go.
    pub(crate) async fn key(&self, key: &str, code: u32) {
        let stroke =
            |kind: &str| json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
        let mut down = stroke("keyDown");
        if key == "Enter" {
            down["text"] = json!("\r");
        }
        self.call("Input.dispatchKeyEvent", down).await;
        self.call("Input.dispatchKeyEvent", stroke("keyUp")).await;
    }

    /// Presses Enter on what has the focus, and waits for the page to which it leads.
    pub(crate) async fn enter(&mut self) {
        self.drain();
        self.key("Enter", 13).await;
        self.arrives().await;
    }

    /// The one thing of these roles that a screen reader calls so, once it is there.
    async fn find(&mut self, place: &str, roles: &[&str], name: &str) -> Value {
        let one = async {
            loop {
                let found = self.named(place, roles, name).await.unwrap_or_default();
                match &found[..] {
                    [one] => break one.clone(),
                    [] => sleep(PAUSE).await,
                    several => panic!("{} are called {name:?}", several.len()),
                }
            }
        };
        if let Ok(one) = timeout(PATIENCE, one).await {
            return one;
        }
        let shown: String = self.js("location.href + '\\n' + document.body.innerText").await;
        panic!("nothing of {roles:?} is called {name:?}\n{shown}");
    }

    async fn named(&self, place: &str, roles: &[&str], name: &str) -> Result<Vec<Value>, String> {
        let place = self.ask("Runtime.evaluate", json!({ "expression": place })).await?;
        let wanted = json!({ "objectId": place["result"]["objectId"], "accessibleName": name });
        let found = self.ask("Accessibility.queryAXTree", wanted).await?;
        let of_role = |node: &&Value| roles.iter().any(|role| node["role"]["value"] == *role);
        let nodes = found["nodes"].as_array().into_iter().flatten().filter(of_role);
        Ok(nodes.map(|node| node["backendDOMNodeId"].clone()).collect())
    }

    /// Presses the mouse where a thing is seen; whatever lies over it is a mistake.
    async fn press(&mut self, node: &Value) {
        self.call("DOM.scrollIntoViewIfNeeded", json!({ "backendNodeId": node })).await;
        let place = "function () {
            const box = this.getClientRects()[0];
            const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
            return [x, y, this.contains(document.elementFromPoint(x, y))];
        }";
        let place = self.on(node, place, &[]).await;
        let [x, y, free] = [0, 1, 2].map(|at| place["value"][at].clone());
        assert_eq!(free, true, "something lies over what is clicked");
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Calls a function on a thing of the page.
    async fn on(&self, node: &Value, function: &str, arguments: &[Value]) -> Value {
        let object = self.call("DOM.resolveNode", json!({ "backendNodeId": node })).await;
        let call = json!({
            "objectId": object["object"]["objectId"], "functionDeclaration": function,
            "arguments": arguments, "returnByValue": true,
        });
        let mut answer = self.call("Runtime.callFunctionOn", call).await;
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"].take()
    }
}
